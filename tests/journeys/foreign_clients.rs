//! Clients that nobody here wrote: Python's `grpcio`, and `grpcurl`.

use std::process::{Command, Output};

use serde_json::json;

use super::Ground;
use super::webhook::body;
use crate::clients::grpcio::{Grpcio, program};
use crate::servers::suppressd::Suppressd;

super::on_both_stores!(python_learns_the_service_and_is_answered, grpcurl_lists_and_is_answered);

fn python_learns_the_service_and_is_answered(ground: &Ground) {
    let server = ground.start();
    server.webhook().post(body("b", "bad@example.com", "bad-mailbox", 1)).counts();
    let mut client = Grpcio::at(&server.grpc().to_string());
    let answer = client.is_suppressed(&json!({"email": "BAD@example.com"}));
    let ok = &answer["ok"];
    assert_eq!(ok["suppressed"], true, "{answer}");
    assert_eq!(ok["reason"], "SUPPRESSION_REASON_HARD_BOUNCE");
    assert_eq!(ok["suppressed_at"], "2023-09-20T15:14:03Z");
    assert_eq!(ok["soft_bounce_limit"], 5);
    for request in [json!({"email": "ok@example.com"}), json!({"email": "ok@example.com", "strict": true, "account": "acme"})] {
        // A plain false is there, and not left out.
        assert_eq!(client.is_suppressed(&request)["ok"]["suppressed"], false);
    }
    let refused = client.is_suppressed(&json!({"email": "nonsense"}));
    assert_eq!(refused["code"], "INVALID_ARGUMENT");
    assert_eq!(refused["details"][0]["fieldViolations"][0]["field"], "email", "{refused}");
    assert!(!refused["message"].as_str().unwrap().contains("nonsense"));

    let batch = client.call(
        "suppression.v1.SuppressionService/BatchIsSuppressed",
        &json!({"emails": ["ok@example.com", "x", "bad@example.com"]}),
    );
    let suppressed: Vec<_> =
        batch["ok"]["results"].as_array().unwrap().iter().map(|result| result["suppressed"].clone()).collect();
    assert_eq!(suppressed, [false, true, true]);
    assert_eq!(batch["ok"]["results"][1]["reason"], "SUPPRESSION_REASON_INVALID_ADDRESS");

    let stream = client.call(
        "suppression.v1.SuppressionService/StreamIsSuppressed",
        &json!([{"emails": ["bad@example.com"]}, {"emails": ["ok@example.com"]}]),
    );
    assert_eq!(stream["ok"][0]["results"][0]["suppressed"], true, "{stream}");
    assert_eq!(stream["ok"][1]["results"][0]["suppressed"], false, "{stream}");
}

fn grpcurl(server: &Suppressd, arguments: &[&str]) -> Output {
    let (method, flags) = arguments.split_last().unwrap();
    Command::new(program("grpcurl")).arg("-plaintext").args(flags).arg(server.grpc().to_string()).arg(method).output().unwrap()
}

fn grpcurl_lists_and_is_answered(ground: &Ground) {
    let server = ground.start();
    server.webhook().post(body("f", "angry@example.com", "", 1)).counts();
    let said = |output: Output| String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    let services = said(grpcurl(&server, &["list"]));
    assert!(services.contains("suppression.v1.SuppressionService\n"), "{services}");
    let method = "suppression.v1.SuppressionService/IsSuppressed";
    let ask = |email: &str| said(grpcurl(&server, &["-d", &json!({"email": email}).to_string(), method]));
    let suppressed = ask("angry@example.com");
    assert!(suppressed.contains(r#""suppressed": true"#) && suppressed.contains("SUPPRESSION_REASON_COMPLAINT"), "{suppressed}");
    assert!(ask("ok@example.com").contains(r#""suppressed": false"#));
    let refused = ask("nonsense");
    assert!(refused.contains("InvalidArgument") && refused.contains("fieldViolations"), "{refused}");
}

#[test]
fn reflection_can_be_switched_off() {
    let ground = Ground::embedded();
    let server = ground.launch().flags(&["--reflection", "false"]).start();
    let output = grpcurl(&server, &["list"]);
    assert!(
        !output.status.success() && String::from_utf8(output.stderr).unwrap().contains("does not support the reflection API")
    );
}
