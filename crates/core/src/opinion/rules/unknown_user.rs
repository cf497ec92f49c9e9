//! There is no such mailbox; in English and as software says it.

use super::super::rule::Rule;
use super::{HARD, NONE};
use crate::opinion::Fault;

pub(super) const RULES: &[Rule] = &[
    // A file or a program of the receiving system that is not there is no mailbox that is not there.
    Rule {
        id: "delivery-agent",
        provider: "",
        class: NONE,
        fault: Fault::Infrastructure,
        patterns: &["{procmail|maildrop|pipe to|local delivery agent} ..  {no such|couldnt|error|failed|cannot}"],
        examples: &["procmail: Program failure of /usr/bin/x: no such user id"],
        near_misses: &["procmail says: user unknown"],
    },
    Rule {
        id: "unknown-user",
        provider: "",
        class: HARD,
        fault: Fault::Recipient,
        patterns: &[
            "{who} ~ {gone}",
            "{unknown|unknown local|unknown virtual} {user|users|userid|user id|username|user name|recipient|recipients\
             |addressee|mailbox|mail box|account|alias|rcpt|mailaccount|mail address|email address|e-mail address|local \
             part|local-part|local user|destination|destination address|email account|mail account|customer|subscriber\
             |person|email|e-mail|inbox|mailuser|recipient address|receiver}",
            "{invalid|nonexistent|non-existent|nonexisting|non-existing|no such|unrecognized|undefined|non existent|bad \
             destination|bad|incorrect|unknown or illegal|unknown or invalid|illegal|invalid or unknown|wrong|not found} \
             {user|users|userid|user id|username|user name|recipient|recipients|addressee|mailbox|mail box|account|alias\
             |rcpt|mailaccount|mail address|email address|e-mail address|local part|local-part|local user|destination\
             |destination address|email account|mail account|customer|subscriber|person|email|e-mail|inbox|mailuser\
             |recipient address|receiver|address|name|entry|member|forward path|final delivery userid}",
            "{550|5.1.1|5.0.0|smtp|said} unknown address",
            "{who} ~ {no longer available|no longer exist|no longer valid|no longer on|no longer with|no longer at|no \
             longer works|no longer here|no longer employed|not longer available|not a valid|is not valid|not valid|is \
             invalid|has been deleted|has been removed|was deleted|was removed|been deleted|is deleted|not a known|not \
             local|isnt here|not in directory|not registered|not registred|undefined|unrouteable|not defined|not a \
             mailbox|has moved|has left|unreachable or unknown|nicht bekannt|unknown here|not available here|lookup \
             failed|is gone|not available at this}",
            "{no|no such|not} {a valid|a known|a real|an existing|an active|our|existing|valid|a registered|known|local} \
             {user|recipient|mailbox|account|address|customer|email|e-mail|alias|person|name|username}",
            "no {mailbox|user|recipient|account|mailaccount|person|address|addressee|email account|such user|one} ~ {here\
             |found|by that name|with that name|named|exists|exist|for|at this|of that name|under this|matches|matching\
             |available|with this|on this|known|called}",
            "{mailbox|user|account|recipient|address} {invalid|deleted|removed|undeliverable unknown|rejected unknown\
             |unlisted|disabled unknown}",
            "{unable to|could not|cannot|couldnt|cant|can not|failed to|did not} {find|locate|identify|recognize\
             |recognise|match} {user|recipient|mailbox|account|address|this user|this recipient|that user|the user|the \
             recipient|the mailbox|your recipient|the address|the email|this address|a user|such}*",
            "{not listed in|not found in|not in|does not exist in|unknown in|not present in} ~ {directory|address book\
             |names & address|domino|name & address book|recipient table|user table|alias table|mailbox table|access \
             table|database|ldap|active directory|our system|public name|list of}*",
            "{does not have|doesnt have|has no|have no|not have} {an|a|any} {account|mailbox|mail account|email account\
             |e-mail account}",
            "{malformed|invalid|illegal|bad} {address|recipient address|email address|e-mail address|address format\
             |address syntax|recipient syntax|recipient format|mailbox syntax|destination mailbox}",
            "{moved left no|mailbox has moved|left no forwarding|no forwarding address|user has moved|has left the \
             company|no longer with the company|no longer employed|no longer works|no longer an employee|left the \
             organization|is not a user|there is no one|nobody by that name|nobody here by|is not known here|wrong address}",
            "{user_unknown|unknown_user|userunknown|unknownuser|no_such_user|nosuchuser|mailbox_not_found|recipnotfound\
             |recipientnotfound|mailbox_unavailable|user_not_found|usernotfound|invalid_recipient}*",
            "@ {does not exist|doesnt exist|is unknown|unknown|not found|is not known|no longer exists|is invalid|is not \
             valid|not known|is not a valid|nonexistent|does not exist here}",
            "{550|5.1.1|said|error} {bad address|address invalid|invalid address|address unknown|mailbox not present}",
            "{address|user|mailbox|recipient} not present {in|here}*",
            "{cant accept user|destination addresses were unknown|email name is not found|user missing home directory\
             |badrcptto|validrcptto|envelope recipient has been denied|recipient not ok|no thank you rejected|not an \
             active address|account or domain may not exist|rejected account unavailable|not a local address|unrouteable \
             local part|addresses were unknown}",
            "{address|mailbox|account|user} no longer {accepts|accepting|receives|exists|available|valid|in service}*",
            "{no record of|no knowledge of} {this|that|the|such} {recipient|user|mailbox|address|account}*",
            "@ is no longer {valid|available|here|a valid|with|employed|at|an employee|a customer|accepting}",
            "{has been replaced by|has changed to|now uses the address|user not local|not local please try|address has \
             changed}",
        ],
        examples: &[
            "550 5.1.1 <b@example.org>: Recipient address rejected: User unknown in relay recipient table",
            "550 No such user here",
            "smtp;551 <b@example.org> is an invalid recipient",
            "550 sorry, no mailbox here by that name (#5.1.1)",
            "550 #5.1.1 the account b@example.org does not exist",
            "550 b@example.org is not a valid mailbox",
            "550 <b@example.org> has left the company",
        ],
        near_misses: &[
            "450 4.7.1 Client host rejected: unknown",
            "550 5.1.1 your host is unknown to us",
            "550 Unknown \
         command",
        ],
    },
    // The text that RFC 5321 (4.2.2) gives for 550; a server that says no more means that there is none.
    Rule {
        id: "mailbox-unavailable",
        provider: "",
        class: HARD,
        fault: Fault::Recipient,
        patterns: &[
            "{requested action not taken|requested mail action not taken|550|550 5.5.0|550 5.1.1|550 5.1.0|550 5.0.0} \
             {mailbox|recipient|user|account|mailbox or address} {unavailable|is unavailable|not available}",
            "{550|5.1.1|5.1.0} @ {mailbox unavailable|mailbox not available|recipient unavailable|user unavailable}",
        ],
        examples: &["550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302)", "550 mailbox unavailable"],
        near_misses: &["550 5.2.1 mailbox unavailable", "550 Mailbox unavailable. Your IP address is blocked"],
    },
];
