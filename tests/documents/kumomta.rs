//! The policy of the recipe for `KumoMTA`, run by Lua with stand-ins for what that gives it.

use super::commands::run_recipe;
use super::markdown::root;
use super::reader::Reader;

/// Offers recipients with a token, and gives how each was answered.
fn offer(reader: &Reader, token: &str, recipients: &[&str]) -> Vec<String> {
    let stand_in = root().join("tests/servers/kumomta.lua");
    let recipients = recipients.iter().map(|recipient| format!("'{recipient}'")).collect::<Vec<_>>().join(" ");
    let command = format!("SUPPRESSD_READ_TOKEN={token} lua5.4 {} suppressd.lua {recipients}", stand_in.display());
    let said = reader.run(&command).unwrap_or_else(|why| panic!("{why}"));
    said.lines().filter(|line| !line.starts_with("log: ")).map(str::to_owned).collect()
}

#[test]
fn the_policy_for_kumomta_refuses_who_is_suppressed_and_puts_off_what_is_uncertain() {
    let mut reader = run_recipe("kumomta");
    let odd = "a/b+c%2F?#@example.com";
    let bounce = r#"{"type":"b","timeLogged":"1695222842","rcpt":"a/b+c%2F?#@example.com","bounceCat":"bad-mailbox"}"#;
    reader.run(&format!("curl http://127.0.0.1:8080/webhooks/inboxroad -d '{bounce}'")).unwrap();
    let asked = ["alice@example.com", "gone@example.com", odd, "nonsense"];
    let refused = "550 5.7.1 recipient is suppressed: hard bounce, bad-mailbox, since 2023-09-20T15:14:02Z";
    let answers = ["250", refused, refused, "550 5.1.3 this cannot be an address"];
    let on_both = |recipient: &str, answer: &str| ["SMTP", "HTTP"].map(|by| format!("{recipient} by {by}: {answer}"));
    let expected: Vec<_> = asked.iter().zip(answers).flat_map(|(recipient, answer)| on_both(recipient, answer)).collect();
    assert_eq!(offer(&reader, "reader", &asked), expected);

    let put_off = "451 4.3.0 it is not known whether the recipient may be mailed";
    let expected: Vec<_> = asked.iter().flat_map(|recipient| on_both(recipient, put_off)).collect();
    assert_eq!(offer(&reader, "wrong", &asked), expected);
    reader.stop();
    assert_eq!(offer(&reader, "reader", &asked), expected);
}
