//! The configuration without an environment of its own: each test gives the variables.

use secrecy::ExposeSecret as _;

use super::*;

const NOTHING: &[(&str, &str)] = &[];

fn read(arguments: &ServeArguments, variables: &[(&str, &str)]) -> anyhow::Result<Config> {
    let variables: BTreeMap<String, String> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Config::read(arguments, &move |name: &str| Ok(variables.get(name).cloned()))
}

fn refusal(arguments: &ServeArguments, variables: &[(&str, &str)]) -> String {
    format!("{:#}", read(arguments, variables).unwrap_err())
}

fn with_file(text: &str) -> (tempfile::TempDir, ServeArguments) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("suppressd.toml");
    std::fs::write(&path, text).unwrap();
    (directory, ServeArguments { config: Some(path), ..ServeArguments::default() })
}

#[test]
fn out_of_the_box_it_serves_loopback_from_a_directory() {
    let config = read(&ServeArguments::default(), NOTHING).unwrap();
    assert_eq!(config.role, Role::All);
    assert_eq!(config.store, StoreLocation::Directory("suppressd-data".into()));
    assert_eq!((config.http.to_string(), config.grpc.to_string()), ("127.0.0.1:8080".into(), "127.0.0.1:50051".into()));
    assert!(config.waits_for_disk && config.service.reflection && config.service.access.is_open());
    assert_eq!(config.rulebook.policy, suppressd_core::Policy::default());
}

#[test]
fn a_flag_comes_before_the_environment_and_that_before_the_file() {
    let (_directory, arguments) =
        with_file("http = \"127.0.0.1:1\"\ngrpc = \"127.0.0.1:1\"\nrole = \"check\"\nmax_letters = 7\n");
    let arguments = ServeArguments { http: Some("localhost:3".into()), ..arguments };
    let config = read(&arguments, &[("SUPPRESSD_HTTP", "127.0.0.1:2"), ("SUPPRESSD_GRPC", "[::1]:2")]).unwrap();
    assert_eq!((config.http.to_string(), config.grpc.to_string()), ("127.0.0.1:3".into(), "[::1]:2".into()));
    assert_eq!((config.role, config.letter_limits.max_letters), (Role::Check, 7));
}

#[test]
fn what_cannot_be_read_is_named_with_its_place() {
    let at_http = |text: &str| ServeArguments { http: Some(text.into()), ..ServeArguments::default() };
    for text in ["", "8080", "example.com:80", "127.0.0.1", "127.0.0.1:99999"] {
        assert!(refusal(&at_http(text), NOTHING).starts_with("--http: "), "{text}");
    }
    for (variable, value) in [
        ("SUPPRESSD_ROLE", "both"),
        ("SUPPRESSD_LOG", "=loud"),
        ("SUPPRESSD_LOG_FORMAT", "xml"),
        ("SUPPRESSD_REFLECTION", "maybe"),
        ("SUPPRESSD_MAX_BODY_BYTES", "0"),
        ("SUPPRESSD_DRAIN_DEADLINE_SECONDS", "-1"),
        ("SUPPRESSD_STORE", ""),
        ("SUPPRESSD_READ_TOKEN", " , "),
        ("SUPPRESSD_WEBHOOK_TOKEN_FILE", "/nowhere"),
        ("SUPPRESSD_TLS_KEY", "/nowhere"),
    ] {
        let refusal = refusal(&ServeArguments::default(), &[(variable, value)]);
        assert!(refusal.starts_with(&format!("{variable}: ")), "{refusal}");
    }
}

#[test]
fn an_unknown_or_misshapen_key_of_the_file_is_an_error() {
    for (text, word) in [
        ("htpp = \"127.0.0.1:1\"", "htpp"),
        ("[http]\nport = 1", "http"),
        ("role = [\"all\"]", "role"),
        ("role = ", "TOML"),
        ("role_file = \"x\"", "role_file"),
    ] {
        let (_directory, arguments) = with_file(text);
        let refusal = refusal(&arguments, NOTHING);
        assert!(refusal.contains("suppressd.toml") && refusal.contains(word), "{refusal}");
    }
    // A variable that is none of ours may be somebody else's: an orchestrator sets SUPPRESSD_PORT for a service of that name.
    assert!(read(&ServeArguments::default(), &[("SUPPRESSD_PORT", "tcp://10.0.0.1:80")]).is_ok());
}

#[test]
fn a_secret_may_lie_in_a_file_and_be_two() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("token");
    std::fs::write(&path, "old,\nnew\n").unwrap();
    let path = path.to_str().unwrap();
    let tokens = |config: Config| {
        let tokens = config.service.access.read_tokens;
        tokens.iter().map(|token| token.expose_secret().to_owned()).collect::<Vec<_>>()
    };
    let config = read(&ServeArguments::default(), &[("SUPPRESSD_READ_TOKEN_FILE", path)]).unwrap();
    assert_eq!(tokens(config), ["old", "new"]);
    let both = [("SUPPRESSD_READ_TOKEN_FILE", path), ("SUPPRESSD_READ_TOKEN", "x")];
    assert!(refusal(&ServeArguments::default(), &both).contains("SUPPRESSD_READ_TOKEN_FILE"));
    // A text in the file of settings does not hide a file that the environment gives.
    let (_directory, arguments) = with_file("read_token = \"x\"");
    assert_eq!(tokens(read(&arguments, &both[..1]).unwrap()), ["old", "new"]);
    let three = [("SUPPRESSD_READ_TOKEN", "a,b,c")];
    assert_eq!(refusal(&ServeArguments::default(), &three), "SUPPRESSD_READ_TOKEN: holds 3 tokens; 2 at most");
}

#[test]
fn tokens_of_accounts_are_pairs() {
    let with = |text: &str| read(&ServeArguments::default(), &[("SUPPRESSD_ACCOUNT_TOKENS", text)]);
    let access = with("shop=one, news=two\nshop=th=ree").unwrap().service.access;
    let accounts: Vec<_> = access.account_tokens.iter().map(suppressd_service::AccountTokens::account).collect();
    assert_eq!(accounts, ["news", "shop"]);
    assert!(!access.is_open());
    for text in ["", " ", "hidden", "=hidden", "shop=", "a=hidden,hidden", "a=hidden,a=hidden2,a=hidden3"] {
        let refusal = format!("{:#}", with(text).unwrap_err());
        assert!(refusal.starts_with("SUPPRESSD_ACCOUNT_TOKENS: ") && !refusal.contains("hidden"), "{refusal}");
    }
    let twice = read(&ServeArguments::default(), &[("SUPPRESSD_ACCOUNT_TOKENS", "a=x"), ("SUPPRESSD_READ_TOKEN", "x")]);
    assert!(format!("{:#}", twice.unwrap_err()).contains("anything else"));
}

#[test]
fn nothing_is_open_to_strangers_by_mistake() {
    let http = ServeArguments { http: Some("0.0.0.0:8080".into()), ..ServeArguments::default() };
    assert!(refusal(&http, NOTHING).contains("SUPPRESSD_WEBHOOK_TOKEN"));
    assert!(read(&http, &[("SUPPRESSD_WEBHOOK_TOKEN", "x")]).is_ok());
    // Health and metrics alone need none.
    assert!(read(&http, &[("SUPPRESSD_ROLE", "check")]).is_ok());

    let grpc = ServeArguments { grpc: Some("[::]:50051".into()), ..ServeArguments::default() };
    assert!(refusal(&grpc, NOTHING).contains("SUPPRESSD_READ_TOKEN"));
    assert!(refusal(&grpc, &[("SUPPRESSD_READ_TOKEN", "x")]).contains("tls_certificate"));
    assert!(read(&grpc, &[("SUPPRESSD_READ_TOKEN", "x"), ("SUPPRESSD_GRPC_PLAINTEXT", "true")]).is_ok());
    assert!(read(&grpc, &[("SUPPRESSD_ROLE", "ingest")]).is_ok());
}

#[test]
fn rest_is_served_by_itself_only_where_no_stranger_comes() {
    let has_rest = |variables: &[(&str, &str)]| read(&ServeArguments::default(), variables).unwrap().has_rest;
    let (webhook, reader) = (("SUPPRESSD_WEBHOOK_TOKEN", "w"), ("SUPPRESSD_READ_TOKEN", "r"));
    let (beyond, on) = (("SUPPRESSD_HTTP", "0.0.0.0:1"), ("SUPPRESSD_REST", "on"));
    for served in [
        &[] as &[_],
        &[reader],
        &[webhook, reader],
        &[("SUPPRESSD_ROLE", "check")],
        &[webhook, on],
        &[webhook, reader, beyond, on],
    ] {
        assert!(has_rest(served), "{served:?}");
    }
    for not_served in [
        &[webhook] as &[_],
        &[webhook, reader, beyond],
        &[webhook, beyond],
        &[("SUPPRESSD_ROLE", "ingest")],
        &[("SUPPRESSD_REST", "off")],
    ] {
        assert!(!has_rest(not_served), "{not_served:?}");
    }
    let refused = |variables: &[(&str, &str)]| refusal(&ServeArguments::default(), variables);
    assert!(refused(&[webhook, beyond, on]).contains("SUPPRESSD_READ_TOKEN"));
    assert!(refused(&[on, ("SUPPRESSD_ROLE", "ingest")]).contains("role"));
    assert!(refused(&[("SUPPRESSD_REST", "true")]).starts_with("SUPPRESSD_REST: must be auto"));
}

#[test]
fn a_store_is_a_directory_or_a_url_and_its_password_is_not_shown() {
    let at = |store: &str| read(&ServeArguments { store: Some(store.into()), ..ServeArguments::default() }, NOTHING);
    assert_eq!(at("./a b").unwrap().store, StoreLocation::Directory("./a b".into()));
    let redis = at("redis://:hidden@h:6379").unwrap().store;
    assert_eq!(redis, StoreLocation::Redis("redis://:hidden@h:6379".into()));
    assert!(!format!("{redis} {redis:?}").contains("hidden"));
    let socket = at("redis+unix:///s?user=u&pass=hidden").unwrap().store;
    assert_eq!(socket.to_string(), "redis at /s");
    let cluster = at("redis+cluster://u:hidden@h:1,h:2").unwrap().store;
    assert_eq!(cluster.to_string(), "redis at h:1,h:2");
    for url in [
        "redis://",
        "postgres://h",
        "redis+cluster://:hidden@h:1,",
        "redis+sentinel://:hidden@h:1",
        "redis:/h",
        "redis://:hidden@h/x",
    ] {
        let refusal = format!("{:#}", at(url).unwrap_err());
        assert!(refusal.starts_with("--store: ") && !refusal.contains("hidden"), "{refusal}");
    }
}

#[test]
fn redis_is_trusted_only_by_tls_and_waited_for_as_is_said() {
    let directory = tempfile::tempdir().unwrap();
    let roots = directory.path().join("root.pem");
    let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(&roots, own.cert.pem()).unwrap();
    let with = |store: &str, name: &str, value: &str| {
        read(&ServeArguments { store: Some(store.into()), ..ServeArguments::default() }, &[(name, value)])
    };
    let roots = roots.to_str().unwrap();
    assert!(with("rediss://h", "SUPPRESSD_REDIS_CA", roots).is_ok());
    assert!(format!("{:#}", with("redis://h", "SUPPRESSD_REDIS_CA", roots).unwrap_err()).contains("rediss://"));
    for good in ["auto", "all", "0", "2"] {
        assert!(with("redis://h", "SUPPRESSD_REDIS_WAIT_REPLICAS", good).is_ok(), "{good}");
    }
    for bad in ["", "-1", "some"] {
        let refusal = format!("{:#}", with("redis://h", "SUPPRESSD_REDIS_WAIT_REPLICAS", bad).unwrap_err());
        assert!(refusal.starts_with("SUPPRESSD_REDIS_WAIT_REPLICAS: must be auto, all"), "{refusal}");
    }
}

#[test]
fn certificates_come_in_pairs_and_are_read_before_anything_is_bound() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let certificate = write("certificate", &own.cert.pem());
    let key = write("key", &own.signing_key.serialize_pem());
    let garbage = write("garbage", "no certificate");
    let default = ServeArguments::default();
    assert!(read(&default, &[("SUPPRESSD_TLS_CERTIFICATE", &certificate), ("SUPPRESSD_TLS_KEY", &key)]).is_ok());
    assert!(refusal(&default, &[("SUPPRESSD_TLS_CERTIFICATE", &certificate)]).contains("tls_key"));
    assert!(refusal(&default, &[("SUPPRESSD_TLS_CLIENT_ROOTS", &certificate)]).contains("tls_certificate"));
    assert!(refusal(&default, &[("SUPPRESSD_TLS_CERTIFICATE", &garbage), ("SUPPRESSD_TLS_KEY", &key)]).contains("PEM"));
}
