//! REST, from outside: the same answers as by gRPC, in JSON.

use serde_json::{Value, json};

use super::Ground;
use super::webhook::body;
use crate::clients::http::{Answer, Asked};
use crate::servers::redis::RedisServer;
use crate::servers::suppressd::{Launch, Suppressd};

super::on_both_stores!(checks_are_answered_in_json, an_operator_s_day, what_is_wrong_with_a_request_is_said);

fn get(server: &Suppressd, path: &str) -> Answer {
    server.webhook().get(path)
}

fn post(server: &Suppressd, path: &str, body: &Value) -> Answer {
    let asked = Asked { content_type: Some("application/json"), ..Asked::default() };
    server.webhook().send("POST", path, asked, &body.to_string())
}

fn checks_are_answered_in_json(ground: &Ground) {
    let server = ground.launch().flags(&["--log", "debug"]).start();
    // Each as it is kept, and as it may stand in a path.
    let spellings: [(&str, &[&str]); 4] = [
        ("gone@example.com", &["gone@example.com", "GONE%40Example.com", "%3Cgone@example.com%3E"]),
        ("a+b@example.com", &["a+b@example.com", "a%2Bb@example.com"]),
        ("a/b@example.com", &["a%2Fb@example.com"]),
        ("zoë@xn--exmple-cua.com", &["zo%C3%AB@ex%C3%A4mple.com", "zoe%CC%88@xn--exmple-cua.com"]),
    ];
    for (number, (email, _)) in spellings.iter().enumerate() {
        assert_eq!(server.webhook().post(body("b", email, "bad-mailbox", number)).counts(), [1, 0, 0, 0]);
    }
    for (email, spelt) in spellings {
        for spelling in spelt {
            let answer = get(&server, &format!("/v1/suppressions/{spelling}"));
            assert_eq!((answer.status, &*answer.content_type), (200, "application/json"), "{spelling}: {answer:?}");
            let answer = answer.json();
            assert_eq!((&answer["suppressed"], &answer["reason"]), (&json!(true), &json!("SUPPRESSION_REASON_HARD_BOUNCE")));
            let record = get(&server, &format!("/v1/records/{spelling}")).json();
            assert_eq!(record["email"], email);
        }
    }
    // A plain false is there, and so is every other default.
    for query in ["", "?account=acme", "?strict=true&account=a%20b+c"] {
        let answer = get(&server, &format!("/v1/suppressions/alice@example.com{query}")).json();
        let expected = json!({
            "suppressed": false, "reason": "SUPPRESSION_REASON_UNSPECIFIED", "softBounces": 0, "softBounceLimit": 5,
            "detail": "not suppressed: 0 of 5 soft bounces"
        });
        assert_eq!(answer, expected);
    }
    let batch =
        post(&server, "/v1/suppressions:check", &json!({"emails": ["alice@example.com", "x", "gone@example.com"]})).json();
    let suppressed: Vec<_> = batch["results"].as_array().unwrap().iter().map(|result| result["suppressed"].clone()).collect();
    assert_eq!(suppressed, [false, true, true]);
    assert_eq!(batch["results"][1]["reason"], "SUPPRESSION_REASON_INVALID_ADDRESS");

    let metrics = get(&server, "/metrics").text;
    let line = r#"suppressd_rest_requests_total{http_method="GET",route="/v1/suppressions/{email}",code="200"} 11"#;
    assert!(metrics.lines().any(|found| found == line), "{metrics}");
    let (status, log) = server.terminate();
    assert!(status.success());
    assert!(log.contains("/v1/suppressions/{email}"), "requests are logged");
    for said in [&*metrics, &log] {
        for address in ["gone@", "gone%40", "alice@", "a+b@", "%40", "zo"] {
            assert!(!said.contains(address), "{address} in {said}");
        }
    }
}

fn an_operator_s_day(ground: &Ground) {
    let server = ground.start();
    let entry = json!({"email": "carol@example.com", "note": "asked by phone", "who": "alex", "expire_time": "2100-01-01T01:00:00+01:00"});
    let created = post(&server, "/v1/suppressions", &entry).json();
    assert_eq!(created["suppression"]["manualEntry"]["expireTime"], "2100-01-01T00:00:00Z", "{created}");
    let listed = get(&server, "/v1/suppressions?reason=SUPPRESSION_REASON_MANUAL&pageSize=10&page_token=").json();
    assert_eq!(listed["suppressions"][0]["email"], "carol@example.com", "{listed}");
    assert_eq!(listed["nextPageToken"], "");
    let diff = post(&server, "/v1/policy:diff", &json!({"policyToml": "soft_bounce_limit = 3", "listAddresses": true}));
    assert_eq!((diff.status, &*diff.content_type), (200, "application/x-ndjson"));
    let last: Value = serde_json::from_str(diff.text.lines().last().unwrap()).unwrap();
    assert_eq!((&last["whatIf"]["isLast"], &last["whatIf"]["addresses"]), (&json!(true), &json!("1")), "{diff:?}");

    let lift = |query: &str| {
        server.webhook().send("DELETE", &format!("/v1/suppressions/carol@example.com{query}"), Asked::default(), "")
    };
    assert_eq!(lift("").status, 400, "it must be said why");
    assert_eq!(lift("?why=asked+to+be+back&who=alex").json()["lift"]["why"], "asked to be back");
    assert_eq!(get(&server, "/v1/suppressions/carol@example.com").json()["suppressed"], false);
    let unknown = server.webhook().send("DELETE", "/v1/suppressions/nobody@example.com?why=none", Asked::default(), "");
    assert_eq!((unknown.status, &unknown.json()["code"]), (404, &json!("NOT_FOUND")));

    let scope = json!({"from": "2020-12-14T00:00:00Z", "to": "2020-12-15T00:00:00Z", "domain": "gmail.com"});
    assert_eq!(post(&server, "/v1/incidents:preview", &json!({"scope": scope})).status, 200);
    let opened = post(&server, "/v1/incidents", &json!({"scope": scope, "why": "an outage", "who": "alex"})).json();
    let id = opened["incident"]["id"].as_str().unwrap();
    assert_eq!(get(&server, "/v1/incidents").json()["incidents"][0]["state"], "INCIDENT_STATE_OPEN");
    let closed = post(&server, &format!("/v1/incidents/{id}:close"), &json!({"why": "no outage"})).json();
    assert_eq!(closed["incident"]["state"], "INCIDENT_STATE_CLOSED");

    assert_eq!(server.webhook().post("{").status, 400);
    let letters = get(&server, "/v1/rejectedLetters").json();
    let id = letters["letters"][0]["id"].as_str().unwrap();
    assert_eq!(letters["letters"][0]["contentBytes"], "1", "64-bit numbers are texts");
    assert_eq!(get(&server, &format!("/v1/rejectedLetters/{id}")).json()["content"], "ew==");
    // `{"type":"f","rcpt":"angry@example.com"}`
    let mended = json!({"mendedContent": "eyJ0eXBlIjoiZiIsInJjcHQiOiJhbmdyeUBleGFtcGxlLmNvbSJ9"});
    let replayed = post(&server, &format!("/v1/rejectedLetters/{id}:replay"), &mended).json();
    assert_eq!((&replayed["recorded"], &replayed["rejected"]), (&json!(1), &json!(0)), "{replayed}");
    assert_eq!(get(&server, "/v1/suppressions/angry@example.com").json()["reason"], "SUPPRESSION_REASON_COMPLAINT");
}

fn what_is_wrong_with_a_request_is_said(ground: &Ground) {
    let server = ground.launch().flags(&["--max-body-bytes", "4096"]).start();
    let send = |method: &str, path: &str, content_type, accept, body: &str| {
        server.webhook().send(method, path, Asked { token: None, content_type, accept }, body)
    };
    let json = Some("application/json");
    for (answer, status, field) in [
        (get(&server, "/v1/suppressions/secret"), 400, "email"),
        (get(&server, "/v1/suppressions/%FF@secret.example"), 400, "email"),
        (get(&server, "/v1/suppressions/a@example.com?strict=secret"), 400, "strict"),
        (get(&server, "/v1/suppressions/a@example.com?account=a&account=b"), 400, "account"),
        (get(&server, "/v1/suppressions/a@example.com?secret=1"), 400, "query"),
        (get(&server, "/v1/suppressions/a@example.com?email=secret@b"), 400, "email"),
        (get(&server, "/v1/suppressions?pageSize=secret"), 400, "pageSize"),
        (get(&server, "/v1/suppressions?reason=SECRET"), 400, "reason"),
        (get(&server, "/v1/suppressions?since=secret"), 400, "since"),
        (get(&server, "/v1/rejectedLetters/secret"), 400, "id"),
        (send("POST", "/v1/suppressions:check", json, None, r#"{"emails": ["a@example.com", {"secret": 1}]}"#), 400, "emails[1]"),
        (send("POST", "/v1/suppressions:check", json, None, r#"{"secret": 1}"#), 400, "body"),
        (send("POST", "/v1/suppressions:check", json, None, "secret"), 400, "body"),
        (send("POST", "/v1/suppressions:check", json, None, "{} secret"), 400, "body"),
        (send("POST", "/v1/suppressions:check?account=secret", json, None, "{}"), 400, "query"),
        (send("POST", "/v1/incidents/0123456789abcdef:close", json, None, r#"{"id": "secret", "why": "x"}"#), 400, "id"),
        (send("POST", "/v1/suppressions", json, None, r#"{"email": "a@example.com"}"#), 400, "note"),
        (send("POST", "/v1/policy:diff", json, None, r#"{"policyToml": "soft_bounce_limit = 17"}"#), 400, "policyToml"),
    ] {
        assert_eq!((answer.status, &*answer.content_type), (status, "application/problem+json"), "{field}: {answer:?}");
        let problem = answer.json();
        assert_eq!((&problem["errors"][0]["field"], &problem["status"]), (&json!(field), &json!(status)), "{answer:?}");
        assert!(!problem["errors"][0]["reason"].as_str().unwrap().is_empty(), "{answer:?}");
        assert!(!answer.text.to_lowercase().contains("secret"), "{answer:?}");
    }
    for (answer, status) in [
        (get(&server, "/v1"), 404),
        (get(&server, "/v1/suppressions/a@example.com/x"), 404),
        (send("POST", "/v1/suppressions:check", None, None, "{}"), 415),
        (send("POST", "/v1/suppressions:check", Some("text/plain"), None, "{}"), 415),
        (send("POST", "/v1/suppressions:check", Some("application/json; charset=utf-8"), None, "{}"), 200),
        (send("GET", "/v1/incidents", None, Some("text/html"), ""), 406),
        (send("GET", "/v1/incidents", None, Some("text/html, application/*;q=0.1"), ""), 200),
        (send("POST", "/v1/suppressions:check", json, None, &" ".repeat(4097)), 413),
    ] {
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(answer.content_type, if status == 200 { "application/json" } else { "application/problem+json" });
    }
    let put = send("PUT", "/v1/suppressions/a@example.com", None, None, "");
    assert_eq!((put.status, put.allow.as_deref()), (405, Some("DELETE, GET, HEAD")));
    let get = get(&server, "/v1/suppressions:check");
    assert_eq!((get.status, get.allow.as_deref()), (405, Some("POST")));
}

#[test]
fn a_fault_is_no_answer() {
    let mut redis = RedisServer::start(&[]);
    let server = Launch::on(&redis.url()).start();
    server.webhook().post(body("b", "gone@example.com", "bad-mailbox", 1)).counts();
    assert_eq!(get(&server, "/v1/suppressions/gone@example.com").json()["suppressed"], true);
    redis.kill();
    let batch = json!({"emails": ["gone@example.com"]});
    for answer in [
        get(&server, "/v1/suppressions/gone@example.com"),
        get(&server, "/v1/suppressions/gone@example.com?strict=true"),
        get(&server, "/v1/records/gone@example.com"),
        get(&server, "/v1/incidents"),
        post(&server, "/v1/suppressions:check", &batch),
    ] {
        assert_eq!((answer.status, answer.retry_after.as_deref()), (503, Some("1")), "{answer:?}");
        let problem = answer.json();
        assert_eq!(problem["code"], "UNAVAILABLE");
        assert!(problem.get("suppressed").is_none() && problem.get("results").is_none(), "{answer:?}");
    }
}

#[test]
fn who_switches_it_off_has_it_nowhere() {
    let ground = Ground::embedded();
    for flags in [["--rest", "off"], ["--role", "ingest"]] {
        let launch = if flags[0] == "--role" { ground.launch().role(flags[1]) } else { ground.launch().flags(&flags) };
        let server = launch.start();
        for path in ["/v1/suppressions/a@example.com", "/openapi.json"] {
            assert_eq!(get(&server, path).status, 404, "{flags:?} {path}");
        }
    }
    let server = ground.launch().role("check").start();
    assert_eq!(get(&server, "/v1/suppressions/a@example.com").status, 200);
    assert_eq!(server.webhook().post("{}").status, 404);
}
