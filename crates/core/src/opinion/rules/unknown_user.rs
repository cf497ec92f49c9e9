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
            "{user|recipient|mailbox|account|address|addressee} .. {does not exist|doesnt exist|do not exist|no longer exists}",
            "@ ~ {does not exist|doesnt exist|no longer exists|could not be found|is not known|isnt known|not recognized\
             |cannot be found|cant be found|was not found|wasnt found|is not listed|is not registered|was deleted|has \
             been deleted|has been removed|is undefined|not existing|is gone}",
            "no such ~ {user|recipient|mailbox|account|address|addressee|person|alias|maildrop|mail drop}",
            "there is no {user|mailbox|recipient}",
            "there is no ~ {user|recipient|mailbox|account|person} {with|by|at|named|here|for|on|in|called}",
            "{unknown|unknown local|unknown virtual} {user|users|userid|user id|username|user name|recipient|recipients\
             |addressee|mailbox|mail box|account|alias|rcpt|mailaccount|mail address|email address|e-mail address|local \
             part|local-part|local user|destination|destination address|email account|mail account|customer|subscriber\
             |person|email|e-mail|inbox|mailuser|recipient address|receiver|mail user|mail recipient|member|adress\
             |recepient|recipent}",
            "{unknow|unkown|uknown} {user|recipient|mailbox|address|account|alias|domain|host}",
            "{non existing|not existing|inexistent|nonexistant|unroutable|unrouteable|unresolvable} {user|recipient\
             |mailbox|account|address|addressee|alias|email address|e-mail address|recipient address|destination address\
             |destination mailbox|local part|person}",
            "{invalid|no such|bad|wrong|unknown|unknow|unkown|nonexistent|non-existent|incorrect|unrecognized} {adress\
             |recepient|recipent|mail user|mail recipient|destination mailbox|target address|virtual user|user account\
             |mailbox name|recipient name}",
            "{no such|unknown|nonexistent|non-existent} {list|mailing list|group|contact|member}",
            "{invalid|nonexistent|non-existent|nonexisting|non-existing|no such|unrecognized|undefined|non existent|bad \
             destination|bad|incorrect|unknown or illegal|unknown or invalid|illegal|invalid or unknown|wrong|not found} \
             {user|users|userid|user id|username|user name|recipient|recipients|addressee|mailbox|mail box|account|alias\
             |rcpt|mailaccount|mail address|email address|e-mail address|local part|local-part|local user|destination\
             |destination address|email account|mail account|customer|subscriber|person|email|e-mail|inbox|mailuser\
             |recipient address|receiver|address|name|entry|member|forward path|final delivery userid}",
            "{550|5.1.1|5.0.0|smtp|said} unknown address",
            "{who} ~ {no longer available|no longer exist|no longer valid|no longer on|no longer with|no longer at|no \
             longer works|no longer here|no longer in use|no longer used|no longer in service|not in use|no longer \
             employed|not longer available|not a valid|is not valid|not valid|is invalid|has been deleted|has been \
             removed|was deleted|was removed|been deleted|is deleted|not a known|not local|isnt here|isnt valid|isnt a \
             valid|not in directory|not registered|not registred|undefined|unrouteable|not defined|not a mailbox|has \
             moved|has left|unreachable or unknown|nicht bekannt|unknown here|not available here|lookup failed|is gone\
             |not available at this|not provisioned|not on this server|not on this system|not on this host|not in our \
             records|not in the system|not in database|never existed|abolished|been cancelled|been canceled|been retired\
             |been decommissioned|been purged|been erased|been permanently|permanently closed|permanently deleted|ceased \
             to exist}",
            "{mailbox|account|inbox} {missing|is missing|@ missing}",
            "{account|mailbox|address|inbox} {closed|is closed|was closed|has been closed|retired|is retired|@ closed|was \
             canceled|was cancelled}",
            "{no|no such|not|isnt} {a valid|a known|a real|an existing|an active|our|existing|valid|a registered|a \
             registered gateway|known|local} {user|recipient|mailbox|account|address|customer|email|e-mail|alias|person\
             |name|username|addressee|email address|e-mail address|recipient address|local part|mail account}",
            "{isnt|not} a {mailbox|user} {here|on|at|in}",
            "not one of our {users|customers|subscribers|recipients|mailboxes|members}",
            "not a {customer|subscriber}",
            "not a {recognized|recognised|working|current|genuine} {user|recipient|mailbox|account|address}",
            "{isnt|not} known {at|on|in} this {address|site|host|domain|server|system}",
            "{do not|dont|does not|doesnt} {recognize|recognise} {this|that|the|your} {user|recipient|mailbox|account|address}",
            "{user|recipient|rcpt} @ not ok",
            "unknown {localpart|local-part|mail drop|maildrop|mail drops}",
            "@ {isnt|is not} {here|on file|on this|at this}",
            "no longer has {an|a|any} {account|mailbox|mail account|email account}",
            "{dont|do not|doesnt|does not|didnt} know {this|that|the|a|any|any such|him|such a} {user|recipient|mailbox\
             |address|account|person|addressee}",
            "{dont|do not} have {a|any|any such|such a|such|this|that} {user|mailbox|recipient|addressee|person} {by|with\
             |called|named|here|of|on|at|in|under}",
            "have {any such|no such|such a} {user|mailbox|recipient|addressee|account|address|person}",
            "{list|mailing list|mailing-list|distribution list|distribution group|group|contact|member|destination\
             |receiver} {unknown|is unknown|not found|was not found|could not be found|does not exist|doesnt exist|no \
             longer exists|not exist}",
            "no {mailbox|inbox|entry|mail box|email address|local part|local user|user account|user|recipient|account\
             |mailaccount|person|address|addressee|email account|such user|one} ~ {here|found|by that name|with that name\
             |named|exists|exist|for|at this|of that name|under this|matches|matching|available|with this|on this|known\
             |called|by this name|with the|for recipient|for user|for this|in directory}",
            "{550|5.1.1|failed|no such} {no mailbox|no local mailbox|addressee}",
            "{mailbox|mailbox name|user|account|recipient|address} {invalid|incorrect|is incorrect|is wrong|path no exist\
             |deleted|removed|undeliverable unknown|rejected unknown|unlisted|disabled unknown}",
            "{unable to|could not|cannot|couldnt|cant|can not|failed to|did not} {find|locate|identify|recognize\
             |recognise|match} {user|recipient|mailbox|account|address|this user|this recipient|that user|the user|the \
             recipient|the mailbox|your recipient|the address|the email|this address|a user|such}*",
            "{unable to|could not|cannot|couldnt|cant|can not} {find|locate|identify} {the account|this account|that \
             account|this mailbox|that mailbox|a mailbox|any user|any mailbox|anyone|anybody|that address}*",
            "{not listed in|not found in|not in|does not exist in|unknown in|not present in} ~ {directory|address book\
             |names & address|domino|name & address book|recipient table|user table|alias table|mailbox table|access \
             table|database|ldap|active directory|our system|public name|list of}*",
            "{does not have|doesnt have|has no|have no|not have} {an|a|any} {account|mailbox|mail account|email account\
             |e-mail account}",
            "{malformed|invalid|illegal|bad} {address|recipient address|email address|e-mail address|address format\
             |address syntax|recipient syntax|recipient format|mailbox syntax|destination mailbox}",
            "{moved left no|mailbox has moved|left no forwarding|no forwarding address|user has moved|has left the \
             company|no longer with the company|no longer employed|no longer works|no longer an employee|left the \
             organization|is not a user|there is no one|nobody by that name|nobody by this name|nobody here by|is no \
             longer with the|has left the organisation|has left our|has left the firm|has left the university|has a new \
             address|is no longer with us|does not work here|doesnt work here|is not known here|wrong address}",
            "{user_unknown|unknown_user|userunknown|unknownuser|no_such_user|nosuchuser|mailbox_not_found|recipnotfound\
             |recipientnotfound|mailbox_unavailable|user_not_found|usernotfound|invalid_recipient|invalid_mailbox\
             |user-unknown|unknown-user|recipient_not_found|unknown_recipient|recipient_unknown|recipient-unknown\
             |user_does_not_exist|no_such_mailbox|no_such_recipient|mailbox_unknown|unknown_mailbox\
             |mailbox_does_not_exist|address_not_found|*unknownuser}*",
            "@ {does not exist|doesnt exist|is unknown|unknown|not found|is not known|no longer exists|is invalid|is not \
             valid|not known|is not a valid|nonexistent|does not exist here}",
            "{550|5.1.1|said|error} {bad address|address invalid|invalid address|address unknown|mailbox not present}",
            "{address|user|mailbox|recipient} not present {in|here}*",
            "{cant accept user|destination addresses were unknown|email name is not found|user missing home directory\
             |badrcptto|validrcptto|envelope recipient has been denied|recipient not ok|no thank you rejected|not an \
             active address|account or domain may not exist|rejected account unavailable|not a local address|unrouteable \
             local part|addresses were unknown}",
            "{address|mailbox|account|user} no longer {accepts|accepting|receives|exists|available|valid|in service}*",
            "{no record of|no knowledge of} {this|that|the|such|a|any} {recipient|user|mailbox|address|account}*",
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
            "550 we don't have a user by that name",
            "550 The recipient could not be located",
            "550 b@example.org isn't on file",
            "550 5.1.1 The user does not exist. Please check the address and try again.",
            "550 We do not know this user",
            "550 isn't a valid mailbox",
            "550 This e-mail address isn't in the directory: adress unknow",
            "550 recepient not found",
            "550 This account has been permanently closed",
            "550 The address is no longer in use",
            "550 no such list here",
            "550 Delivery refused, there is no user b",
            "553 mailbox name invalid",
            "550 no user with the address b@example.org",
            "550 Recipient is not one of our users",
            "550 no such virtual user here",
            "550 There is no e-mail account with this name",
            "550 The recipient whom you have tried to write to at this company does not exist",
            "550 b@example.org is not a recognized mailbox",
            "550 5.1.1 Invalid email address",
            "smtp; USER_DOES_NOT_EXIST",
        ],
        near_misses: &[
            "450 4.7.1 Client host rejected: unknown",
            "550 5.1.1 your host is unknown to us",
            "550 Unknown command",
            "550 Missing To header: no recipient found in message",
            "550 No such user at the sender's site",
            "550 /var/mail/b: No such file or directory, mailbox not opened",
            "501 5.5.2 Recipient address missing",
            "550 E-mail contains an invalid attachment",
            "550 5.7.1 You do not have an account here",
            "550 5.7.1 Your account has been closed",
            "421 Connection closed",
            "550 The account you are using to send does not exist",
            "550-Verification failed for <a@example.com> 550-No Such User Here",
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
             {mailbox|recipient|user|account|mailbox or address} {unavailable|is unavailable|not available|unavaiable\
             |unavailble}",
            "{550|5.1.1|5.1.0} @ {mailbox unavailable|mailbox not available|recipient unavailable|user unavailable}",
        ],
        examples: &["550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302)", "550 mailbox unavailable"],
        near_misses: &["550 5.2.1 mailbox unavailable", "550 Mailbox unavailable. Your IP address is blocked"],
    },
];
