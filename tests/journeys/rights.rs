//! Who may do what, asked of every method that the descriptors have and of every path that the description has: whatever is
//! added is behind the gate.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tonic::Code;

use super::Ground;
use super::webhook::payload;
use crate::clients::any_method::{all_methods, code_of};
use crate::clients::grpcio::{Credentials, Grpcio};
use crate::clients::http::Asked;
use crate::servers::suppressd::{Launch, Suppressd, data};
use crate::stores::block_on;

super::on_both_stores!(a_token_of_an_account_sees_its_account_only);

/// The methods that a token of an account may call.
const OF_AN_ACCOUNT: [&str; 3] = [
    "/suppression.v1.SuppressionService/IsSuppressed",
    "/suppression.v1.SuppressionService/BatchIsSuppressed",
    "/suppression.v1.SuppressionService/StreamIsSuppressed",
];

const CHECKS: &str = "/suppression.v1.SuppressionService/";

/// Paths that need no token.
const OPEN: [&str; 4] = ["/healthz", "/metrics", "/openapi.json", "/readyz"];

fn with_every_token(launch: Launch) -> Suppressd {
    launch
        .variable("SUPPRESSD_WEBHOOK_TOKEN", "hook")
        .variable("SUPPRESSD_READ_TOKEN", "reader")
        .variable("SUPPRESSD_ADMIN_TOKEN", "root")
        .variable("SUPPRESSD_ACCOUNT_TOKENS", "shop=bound,news=other")
        .start()
}

#[test]
fn no_method_is_open_to_who_lacks_its_right() {
    let directory = tempfile::tempdir().unwrap();
    let server = with_every_token(Launch::in_directory(&data(directory.path())));
    let methods = all_methods();
    assert!(methods.len() > 10, "they are found");
    let refusals = [Code::Unauthenticated, Code::PermissionDenied, Code::Unimplemented];
    block_on(async {
        for method in &methods {
            let path = &*method.path;
            let code = async |token| code_of(&server.grpc_url(), path, &[], token).await;
            for token in [None, Some(""), Some("wrong"), Some("hook")] {
                assert_eq!(code(token).await, Code::Unauthenticated, "{path} with {token:?}");
            }
            for (token, may) in [("reader", path.starts_with(CHECKS)), ("bound", OF_AN_ACCOUNT.contains(&path)), ("root", true)] {
                let code = code(Some(token)).await;
                assert_eq!(code == Code::PermissionDenied, !may, "{path} with {token}: {code}");
                assert_eq!(refusals.contains(&code), !may, "{path} with {token}: {code}");
            }
            if let Some(message) = method.naming("news") {
                let code = async |token| code_of(&server.grpc_url(), path, &message, Some(token)).await;
                assert_eq!(code("bound").await, Code::PermissionDenied, "{path} for another account");
                assert!(!refusals.contains(&code("root").await), "{path}");
            }
        }
    });
    let naming = methods.iter().filter(|method| method.naming("x").is_some());
    assert!(naming.count() > OF_AN_ACCOUNT.len(), "those are found that name an account");
}

#[test]
fn no_path_is_open_to_who_lacks_its_right() {
    let directory = tempfile::tempdir().unwrap();
    let server = with_every_token(Launch::in_directory(&data(directory.path())));
    let description = server.webhook().get("/openapi.json").json();
    let mut open = BTreeSet::new();
    let mut closed = 0;
    for (path, operations) in description["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let operation = Operation { server: &server, method: method.to_uppercase(), path, description: operation };
            if operation.is_open() {
                open.insert(path.as_str());
                assert_eq!(operation.status(None, "", ""), 200, "{path}");
            } else {
                closed += 1;
                operation.assert_closed(&description);
            }
        }
    }
    assert_eq!(open, BTreeSet::from(OPEN));
    assert!(closed > 10, "they are found");
}

/// An operation as it is described.
struct Operation<'a> {
    server: &'a Suppressd,
    method: String,
    path: &'a str,
    description: &'a Value,
}

impl Operation<'_> {
    fn is_open(&self) -> bool {
        self.description["security"].as_array().unwrap().is_empty()
    }

    /// What a request is answered with: with its path filled in, and more for the query or the body.
    fn status(&self, token: Option<&str>, query: &str, body: &str) -> u16 {
        let path = self.path.replace("{email}", "a@example.com").replace("{id}", "0123456789abcdef");
        assert!(!path.contains('{'), "{path}");
        let content_type = (self.method == "POST").then_some("application/json");
        let asked = Asked { token, content_type, ..Asked::default() };
        self.server.webhook().send(&self.method, &format!("{path}{query}"), asked, body).status
    }

    fn assert_closed(&self, description: &Value) {
        let Self { method, path, .. } = self;
        let is_webhook = path.starts_with("/webhooks/");
        let strangers: &[_] = if is_webhook { &["", "wrong", "reader", "root", "bound"] } else { &["", "wrong", "hook"] };
        // What is asked does not matter, nor whether it could be read.
        for (query, body) in [("", "{}"), ("?such=none", "{")] {
            for token in strangers.iter().map(|token| Some(*token)).chain([None]) {
                assert_eq!(self.status(token, query, body), 401, "{method} {path} with {token:?}");
            }
        }
        if is_webhook {
            assert_eq!(self.status(Some("hook"), "", "{}"), 422);
            return;
        }
        let needed = self.description["security"][0]["bearer"][0].as_str().unwrap();
        let is_check = needed == "read";
        assert!(is_check || needed == "administrate", "{path}: {needed}");
        let is_for_accounts = is_check && self.names_accounts(description);
        for (token, may) in [("reader", is_check), ("bound", is_for_accounts), ("root", true)] {
            let status = self.status(Some(token), "", "{}");
            assert_eq!(status == 403, !may, "{method} {path} with {token}: {status}");
            assert_ne!(status, 401, "{method} {path} with {token}");
        }
        if self.names_accounts(description) {
            let (query, body) = if method == "POST" { ("", r#"{"account": "news"}"#) } else { ("?account=news", "") };
            assert_eq!(self.status(Some("bound"), query, body), 403, "{method} {path} for another account");
            assert_eq!(self.status(Some("root"), query, body), 200, "{method} {path}");
        }
    }

    /// Whether a request may name an account.
    fn names_accounts(&self, description: &Value) -> bool {
        let in_query =
            self.description["parameters"].as_array().into_iter().flatten().any(|parameter| parameter["name"] == "account");
        let schema = self.description["requestBody"]["content"]["application/json"]["schema"]["$ref"].as_str();
        let schema = schema.and_then(|reference| description.pointer(reference.trim_start_matches('#')));
        in_query || schema.is_some_and(|schema| schema["properties"].get("account").is_some())
    }
}

fn a_token_of_an_account_sees_its_account_only(ground: &Ground) {
    let server = with_every_token(ground.launch());
    let webhook = server.webhook().with_token("hook");
    for number in 0..5 {
        let mut event = payload("b", "full@example.com", "quota-issues", number);
        event["rcvSmtpUser"] = "shop".into();
        webhook.post(event.to_string()).counts();
    }
    let email = "full@example.com";
    for (token, suppressed) in [("bound", true), ("other", false), ("reader", true)] {
        let checks = server.checks().with_token(token);
        assert_eq!(checks.is_suppressed(email), suppressed, "{token}");
        assert_eq!(checks.batch(&[email]).unwrap()[0].suppressed(), suppressed, "{token}");
        assert_eq!(checks.stream(&[&[email]])[0].as_ref().unwrap()[0].suppressed(), suppressed, "{token}");
        let asked = Asked { token: Some(token), content_type: Some("application/json"), accept: None };
        let one = server.webhook().send("GET", &format!("/v1/suppressions/{email}"), asked, "").json();
        assert_eq!(one["suppressed"], suppressed, "{token}");
        let body = json!({"emails": [email]}).to_string();
        let batch = server.webhook().send("POST", "/v1/suppressions:check", asked, &body).json();
        assert_eq!(batch["results"][0]["suppressed"], suppressed, "{token}");
    }
    let bound = server.checks().with_token("bound");
    assert!(bound.of_account(email, "shop").unwrap().suppressed());
    assert_eq!(bound.of_account(email, "news").unwrap_err().code(), Code::PermissionDenied);
    assert!(!server.checks().with_token("reader").of_account(email, "news").unwrap().suppressed());

    // Of a stream, every message counts.
    let credentials = Credentials { token: "bound", ..Credentials::default() };
    let mut stream = Grpcio::with(&server.grpc().to_string(), &credentials);
    let messages = json!([{"emails": [email]}, {"emails": [email], "account": "shop"}]);
    let answers = stream.call("suppression.v1.SuppressionService/StreamIsSuppressed", &messages);
    assert_eq!(answers["ok"][1]["results"][0]["suppressed"], true, "{answers}");
    let messages = json!([{"emails": [email]}, {"emails": [email], "account": "news"}]);
    let answers = stream.call("suppression.v1.SuppressionService/StreamIsSuppressed", &messages);
    assert_eq!(answers["code"], "PERMISSION_DENIED", "{answers}");
}
