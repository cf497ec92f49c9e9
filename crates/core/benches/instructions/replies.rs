//! Replies as they come, for whatever measures what they cost.

/// What each is, the status, and the words, about 120 bytes each.
pub(crate) const TYPICAL: [(&str, &str, &str); 6] = [
    (
        "unknown user",
        "5.1.1",
        "smtp;550 5.1.1 <some.body@example.org>: we looked for that user in every table of ours and found no such user",
    ),
    (
        "mailbox full",
        "5.2.2",
        "smtp;552-5.2.2 The mailbox of some.body@example.org has exceeded its storage limit and cannot take more messages at this time",
    ),
    (
        "blocked",
        "5.7.1",
        "smtp;554 5.7.1 Service unavailable; Client host [192.0.2.25] blocked using zen.spamhaus.org; see https://www.spamhaus.org/",
    ),
    (
        "busy",
        "4.3.2",
        "smtp;451 4.3.2 mx7.example.net cannot take your message at the moment, please try again later (queue of the server is long)",
    ),
    (
        "nothing known",
        "5.0.0",
        "smtp;550 mx3.example.net regrets that today nothing at all could be done about this one [ref 1f3a9c77-22e1] for the moment",
    ),
    ("Russian", "5.0.0", "smtp;550 Почтовый ящик some.body@example.ru переполнен, отправьте письмо позже"),
];
