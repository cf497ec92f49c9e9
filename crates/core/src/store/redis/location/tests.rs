use super::*;

fn read(url: &str) -> Result<Location, Error> {
    Location::read(url, None)
}

fn ports(ports: &[u16]) -> Vec<Endpoint> {
    ports.iter().map(|port| Endpoint::port("h", *port)).collect()
}

#[test]
fn one_server_is_read() {
    for (url, endpoint) in [
        ("redis://h", "h:6379"),
        ("redis://h:7000/0", "h:7000"),
        ("REDIS://u:p%40ss@h", "h:6379"),
        ("redis://:p@[::1]:1", "[::1]:1"),
        ("rediss://:p@h:1", "h:1"),
        ("redis+unix:///s", "/s"),
        ("unix:///s?user=u&pass=p", "/s"),
    ] {
        let location = read(url).unwrap();
        assert!(matches!(&location.servers, Servers::One(one) if one.to_string() == endpoint), "{url}");
        assert_eq!(location.access.tls.is_some(), url.starts_with("rediss"), "{url}");
    }
    let login = read("redis://u:p%40ss@h").unwrap().access.login;
    assert_eq!((login.username(), login.password()), (Some("u"), Some("p@ss")));
}

#[test]
fn the_servers_of_a_cluster_are_read() {
    for url in ["redis+cluster://u:p%2Fss@h:1,h:2", "rediss+cluster://u:p%2Fss@h:1,h:2/", "redis+cluster://u:p%2Fss@h:1,h:2/0"] {
        let location = read(url).unwrap();
        assert_eq!(location.servers, Servers::Cluster(ports(&[1, 2])), "{url}");
        assert_eq!(location.access.login.password(), Some("p/ss"));
    }
    assert_eq!(read("redis+cluster://h").unwrap().servers, Servers::Cluster(ports(&[6379])));
}

#[test]
fn a_service_of_sentinels_is_read() {
    let Servers::Sentinel { sentinels, service } = read("redis+sentinel://:p@h,h:2,[::1],[::1]:3/main").unwrap().servers else {
        panic!("it is no Sentinel");
    };
    let sentinels: Vec<_> = sentinels.iter().map(ToString::to_string).collect();
    assert_eq!((sentinels.join(" "), &*service), ("h:26379 h:2 [::1]:26379 [::1]:3".to_owned(), "main"));
}

#[test]
fn what_cannot_be_a_store_is_refused_and_never_quoted() {
    let too_many = format!("redis+cluster://:secret@{}", vec!["h:1"; MAX_SERVERS + 1].join(","));
    for url in [
        "",
        "x",
        "redis://",
        "redis://:secret@h:port",
        "redis://:secret@h/x",
        "redis+unix://",
        "http://:secret@h",
        "redis://:secret@0.0.0.0",
        "redis://:secret@h/3",
        "rediss://:secret@h/#insecure",
        "redis+cluster://",
        "redis+cluster://:secret@h:1,",
        "redis+cluster://:secret@h:1/3",
        "redis+cluster://:secret@h:1,h:x",
        "redis+sentinel://:secret@h:1",
        "redis+sentinel://:secret@h:1/",
        "redis+sentinel://:secret@/main",
        &too_many,
    ] {
        let Err(error) = read(url) else { panic!("{url} is taken") };
        assert!(matches!(error, Error::InvalidField { field: "store", .. }), "{url}: {error:?}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}

#[test]
fn roots_need_tls_and_must_be_certificates() {
    assert!(Location::read("redis://h", Some(b"x")).is_err());
    let garbled = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let refused = Location::read("rediss://h", Some(garbled.as_bytes())).err();
    assert!(matches!(refused, Some(Error::InvalidField { field: "redis_ca", .. })), "{refused:?}");
}
