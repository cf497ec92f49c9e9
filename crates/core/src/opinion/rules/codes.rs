//! What enhanced status codes say by themselves: RFC 3463 and its registry (RFC 5248), and the providers' own details.
//!
//! Details above 100 are Microsoft's: <https://learn.microsoft.com/exchange/mail-flow-best-practices/non-delivery-reports-in-exchange-online>.
//! Google's: <https://support.google.com/a/answer/3726730>.

use super::super::rule::CodeRule;
use super::{EXPIRED, HARD as HARD_CLASS, NONE, SOFT};
use crate::opinion::Fault;

/// Codes that speak of the sender or of the message, whatever the words.
pub(in super::super) const VETO: &[CodeRule] = &[
    // X.1.7 and X.1.8: the sender's mailbox address, the sender's system.
    CodeRule { id: "code-sender", codes: &[(None, 1, 7..=8)], class: NONE, fault: Fault::Sender },
    // X.7.8 to X.7.12 and X.7.20 to X.7.30 (RFC 7372, RFC 7505, Google), X.7.5xx and X.7.6xx (Microsoft).
    CodeRule {
        id: "code-authentication",
        codes: &[(None, 7, 8..=12), (None, 7, 20..=27), (None, 7, 29..=32), (None, 7, 57..=57), (None, 7, 509..=509)],
        class: NONE,
        fault: Fault::Sender,
    },
    CodeRule {
        id: "code-reputation",
        codes: &[(None, 7, 28..=28), (None, 7, 500..=503), (None, 7, 506..=508), (None, 7, 510..=999)],
        class: NONE,
        fault: Fault::Sender,
    },
    CodeRule { id: "code-sender-limit", codes: &[(Some(5), 1, 90..=90)], class: NONE, fault: Fault::Sender },
    // X.6: the message and its media.
    CodeRule { id: "code-content", codes: &[(None, 6, 0..=999)], class: NONE, fault: Fault::Content },
];

/// The only codes that are HARD by themselves: no such mailbox, system or syntax; moved; no such recipient, null MX (RFC 7505).
pub(in super::super) const HARD: CodeRule = CodeRule {
    id: "code-no-such-address",
    codes: &[(Some(5), 1, 1..=3), (Some(5), 1, 6..=6), (Some(5), 1, 10..=10)],
    class: HARD_CLASS,
    fault: Fault::Recipient,
};

/// What codes say where words do not.
pub(in super::super) const OTHER: &[CodeRule] = &[
    CodeRule { id: "code-mailbox-full", codes: &[(None, 2, 2..=2)], class: SOFT, fault: Fault::Recipient },
    CodeRule { id: "code-mailbox-disabled", codes: &[(None, 2, 1..=1)], class: SOFT, fault: Fault::Recipient },
    CodeRule { id: "code-message-size", codes: &[(None, 2, 3..=3), (None, 3, 4..=4)], class: NONE, fault: Fault::Content },
    CodeRule { id: "code-list-expansion", codes: &[(None, 2, 4..=4)], class: SOFT, fault: Fault::Infrastructure },
    CodeRule { id: "code-recipient-limit", codes: &[(None, 2, 120..=122)], class: SOFT, fault: Fault::Recipient },
    CodeRule {
        id: "code-deferred",
        codes: &[(Some(4), 1, 1..=6), (Some(4), 1, 10..=10), (Some(4), 2, 0..=999)],
        class: SOFT,
        fault: Fault::Recipient,
    },
    CodeRule { id: "code-ambiguous", codes: &[(None, 1, 4..=4)], class: SOFT, fault: Fault::Infrastructure },
    CodeRule { id: "code-system", codes: &[(None, 3, 0..=999)], class: SOFT, fault: Fault::Infrastructure },
    CodeRule { id: "code-expired", codes: &[(None, 4, 7..=7)], class: EXPIRED, fault: Fault::Infrastructure },
    CodeRule { id: "code-network", codes: &[(None, 4, 0..=999)], class: SOFT, fault: Fault::Infrastructure },
    CodeRule { id: "code-protocol", codes: &[(None, 5, 0..=999)], class: NONE, fault: Fault::Infrastructure },
    CodeRule { id: "code-policy", codes: &[(None, 7, 0..=999)], class: NONE, fault: Fault::Sender },
];
