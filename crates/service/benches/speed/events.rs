//! Events as the provider posts them: all of its eleven fields, with the words of receiving servers in their usual length.

use std::fmt::Write as _;
use std::ops::Range;

/// What a body is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mix {
    /// Nothing but bounces, each of another recipient: the worst there is, since every event is kept and makes a record.
    Bounces,
    /// What a mailing brings: 96 % delivered, bounces, and one complaint in 500. Of who was only delivered to nothing is kept.
    Mailing,
}

impl Mix {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bounces => "bounces",
            Self::Mailing => "events of a mailing",
        }
    }
}

/// One event in so many of a mailing is a bounce or a complaint.
const ONE_UNDELIVERED_IN: usize = 25;

/// One event in so many of a mailing is a complaint.
const ONE_COMPLAINT_IN: usize = 500;

/// Messages in a second of a mailing.
const MESSAGES_PER_SECOND: usize = 40;

/// When the mailing began.
const BEGIN: usize = 1_700_000_000;

/// How recipients are spread over domains.
const DOMAINS: usize = 997;

/// What a receiving server says to a message that it does not take, and how the provider puts it.
struct Refusal {
    kind: &'static str,
    category: &'static str,
    status: &'static str,
    words: &'static str,
}

/// In equal parts: of every class that a bounce can have, from a few words to four lines.
const REFUSALS: [Refusal; 8] = [
    Refusal {
        kind: "b",
        category: "bad-mailbox",
        status: "5.1.1 (bad destination mailbox address)",
        words: "smtp;550-5.1.1 The email account that you tried to reach does not exist. Please try 550-5.1.1 double-checking the \
                recipient's email address for typos or 550 5.1.1 unnecessary spaces. gsmtp",
    },
    Refusal {
        kind: "b",
        category: "quota-issues",
        status: "4.2.2 (mailbox full)",
        words: "smtp;452-4.2.2 The recipient's inbox is out of storage space. Please direct the recipient to 452 4.2.2 \
                https://support.example/mail/?p=OverQuotaTemp - gsmtp",
    },
    Refusal {
        kind: "rb",
        category: "inactive-mailbox",
        status: "5.2.1 (mailbox disabled, not accepting messages)",
        words: "smtp;550 5.2.1 The email account that you tried to reach is disabled.",
    },
    Refusal {
        kind: "b",
        category: "bad-domain",
        status: "5.1.2 (bad destination system address)",
        words: "smtp;550 5.1.2 Host or domain name not found",
    },
    Refusal {
        kind: "b",
        category: "policy-related",
        status: "5.7.1 (delivery not authorized, message refused)",
        words: "smtp;550 5.7.1 Service unavailable, message rejected due to local policy",
    },
    Refusal {
        kind: "b",
        category: "other",
        status: "5.0.0 (undefined status)",
        words: "smtp;550 Requested action not taken: mailbox unavailable [DB5EUR01FT012.mail.protection.example]",
    },
    Refusal {
        kind: "b",
        category: "spam-related",
        status: "5.7.1 (delivery not authorized, message refused)",
        words: "smtp;554 5.7.1 Message blocked due to spam content in the message",
    },
    Refusal {
        kind: "b",
        category: "message-expired",
        status: "4.4.7 (delivery time expired)",
        words: "smtp;451 4.4.7 message expired, the receiving server did not answer",
    },
];

/// The recipient of that number. Those of neighbouring numbers lie far from each other in whatever is ordered by address.
pub(crate) fn recipient(number: usize) -> String {
    format!("reader.{:08x}@example{}.com", spread(number), number % DOMAINS)
}

/// Another number for each number below 2^32.
fn spread(number: usize) -> usize {
    number.wrapping_mul(2_654_435_761) % (1 << 32)
}

/// The events of those numbers, one a line. Each number is another recipient and another message.
pub(crate) fn lines(mix: Mix, numbers: Range<usize>) -> String {
    let mut lines = String::new();
    for number in numbers {
        push_line(&mut lines, mix, number, number);
    }
    lines
}

/// Two messages to each recipient of those numbers, neither of which is delivered.
pub(crate) fn two_bounces_each(recipients: Range<usize>) -> String {
    let mut lines = String::new();
    for number in recipients {
        push_line(&mut lines, Mix::Bounces, number, 2 * number);
        push_line(&mut lines, Mix::Bounces, number, 2 * number + 1);
    }
    lines
}

fn push_line(lines: &mut String, mix: Mix, recipient_number: usize, message: usize) {
    let is_delivered = mix == Mix::Mailing && !message.is_multiple_of(ONE_UNDELIVERED_IN);
    let is_complaint = mix == Mix::Mailing && message.is_multiple_of(ONE_COMPLAINT_IN);
    let (kind, action, status, words, category) = if is_delivered {
        ("d", "relayed", "2.0.0 (success)", "smtp;250 2.0.0 OK 1700000000 q12si1234567wmb.104 - gsmtp", "")
    } else if is_complaint {
        ("f", "", "", "", "")
    } else {
        let refusal = &REFUSALS[message % REFUSALS.len()];
        (refusal.kind, "failed", refusal.status, refusal.words, refusal.category)
    };
    // Writing to memory cannot fail.
    let _ = writeln!(
        lines,
        "{{\"type\":\"{kind}\",\"timeLogged\":\"{}\",\"orig\":\"news@sender.example\",\"rcpt\":\"{}\",\"dsnAction\":\"{action}\",\
         \"dsnStatus\":\"{status}\",\"dsnDiag\":\"{words}\",\"bounceCat\":\"{category}\",\"rcvSmtpUser\":\"acme\",\
         \"header_Message-Id\":\"<{:08x}.{message}@sender.example>\",\"vmta\":\"mta{}\"}}",
        BEGIN + message / MESSAGES_PER_SECOND,
        recipient(recipient_number),
        spread(message),
        message % 8,
    );
}
