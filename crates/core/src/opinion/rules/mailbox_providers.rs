//! Mailbox providers of the world: Gmail, Microsoft, Yahoo and AOL, Apple, Comcast.

use super::super::rule::Rule;
use super::{HARD, NONE, SOFT};
use crate::opinion::Fault;

pub(super) const RULES: &[Rule] = &[
    // <https://support.google.com/a/answer/3726730>: each text ends in a URL whose parameter names the reason.
    Rule {
        id: "gmail-over-quota",
        provider: "Gmail",
        class: SOFT,
        fault: Fault::Recipient,
        patterns: &[
            "*p=overquota*",
            "email account that you tried to reach is over",
            "recipients inbox is out of storage",
            "*answer=6558*",
            "*mail/answer/6558*",
        ],
        examples: &[
            "452 4.2.2 no room: https://support.google.com/mail/?p=OverQuotaTemp x7 - gsmtp",
            "452 4.2.2 The email account that you tried to reach is over quota.",
        ],
        near_misses: &["550 5.1.1 The email account that you tried to reach does not exist."],
    },
    Rule {
        id: "gmail-disabled",
        provider: "Gmail",
        class: SOFT,
        fault: Fault::Recipient,
        patterns: &["*p=disableduser*", "email account that you tried to reach is {disabled|inactive|suspended}"],
        examples: &["550 5.2.1 It is off: https://support.google.com/mail/?p=DisabledUser x7 - gsmtp"],
        near_misses: &[],
    },
    Rule {
        id: "gmail-receiving-rate",
        provider: "Gmail",
        class: SOFT,
        fault: Fault::Recipient,
        patterns: &[
            "*p=receivingrate*",
            "you are trying to contact is receiving mail {at a rate|too quickly}",
            "*mail/answer/6592*",
            "*answer=6592*",
        ],
        examples: &["450-4.2.1 The user you are trying to contact is receiving mail too quickly. Please resend later."],
        near_misses: &[],
    },
    Rule {
        id: "gmail-no-such-user",
        provider: "Gmail",
        class: HARD,
        fault: Fault::Recipient,
        patterns: &[
            "*p=nosuchuser*",
            "*answer=6596*",
            "*mail/answer/6596*",
            "email account that you tried to reach {does not exist|doesnt exist|could not be found}",
            "wasnt delivered .. because the {domain|address} .. {couldnt be found|wasnt found|doesnt exist}",
        ],
        examples: &[
            "550-5.1.1 The email account that you tried 550 5.1.1 to reach could not be found",
            "550 5.1.1 https://support.google.com/mail/?p=NoSuchUser a640c23a62f3a-aa5 - gsmtp",
            "Your message wasn't delivered because the domain nowhere.example couldn't be found. Check for typos or spaces, \
             and please try again.",
        ],
        near_misses: &["550 5.1.1 no https://support.google.com/mail/?p=OverQuotaPerm"],
    },
    Rule {
        id: "gmail-policy",
        provider: "Gmail",
        class: NONE,
        fault: Fault::Sender,
        patterns: &[
            "our system has detected {that this message|an unusual rate}",
            "to {best protect|protect} our users from spam",
            "to {best protect|protect} users from spam",
            "{has|gmail has} detected {an unusual rate|that this message|this message}",
            "gmail requires all",
            "reduce the amount of spam sent to gmail",
            "*p={unsolicitedmessageerror|unsolicitedratelimiterror|unauthenticatederror|sendermessagerejected|ipratelimit\
             |blockedmessage}*",
            "*p={dmarcrejection|customfromdenied|rfcmessagenoncompliant|mailloop|badrcpt}*",
            "*mail/answer/{81126|188131|2451690}*",
        ],
        examples: &["421-4.7.28 Gmail has detected an unusual rate of unsolicited mail originating from your address."],
        near_misses: &[],
    },
    Rule {
        id: "google-groups",
        provider: "Google Groups",
        class: NONE,
        fault: Fault::Sender,
        patterns: &[
            "group you tried to contact",
            "may not have permission to post",
            "*groups.google.com*",
            "*googlegroups.com/*",
            "*a/answer/168383*",
            "email to group @",
        ],
        examples: &["The group you tried to contact (staff) was removed, or is closed to you"],
        near_misses: &["550 5.1.1 The user you tried to contact does not exist"],
    },
    // <https://learn.microsoft.com/exchange/mail-flow-best-practices/non-delivery-reports-in-exchange-online>
    Rule {
        id: "ms-mailbox-full",
        provider: "Microsoft",
        class: SOFT,
        fault: Fault::Recipient,
        patterns: &["*mapiexception{shutoff|}quotaexceeded*", "storedrv.deliver mailbox full", "*quotaexceededexception*"],
        examples: &[
            "554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException.MapiExceptionShutoffQuotaExceeded",
        ],
        near_misses: &[],
    },
    Rule {
        id: "ms-recipient-limit",
        provider: "Microsoft",
        class: SOFT,
        fault: Fault::Recipient,
        patterns: &["recipients per hour message receive limit", "recipient thread limit exceeded", "message receive limit"],
        examples: &["550 5.2.122 The recipient has exceeded their limit: Recipient's per hour message receive limit exceeded"],
        near_misses: &["450 4.7.1 Error: too much mail from 192.0.2.1"],
    },
    Rule {
        id: "ms-restricted",
        provider: "Microsoft",
        class: NONE,
        fault: Fault::Sender,
        patterns: &["resolver.rst.*", "{sender|client} .. not authenticated for", "recipient not allowed to receive"],
        examples: &[
            "550 5.7.1 RESOLVER.RST.NotAuthorized; not authorized",
            "550 5.7.129 RESOLVER.RST.RestrictedToRecipientsPermission",
        ],
        near_misses: &["550 5.1.1 RESOLVER.ADR.RecipNotFound; not found"],
    },
    Rule {
        id: "ms-tenant",
        provider: "Microsoft",
        class: SOFT,
        fault: Fault::Infrastructure,
        patterns: &["hosted tenant which has no", "tenant has no mail-enabled", "*suspiciousremoteservererror*"],
        examples: &["451 4.4.4 It is a hosted tenant which has no subscriptions for mail"],
        near_misses: &[],
    },
    Rule {
        id: "ms-no-such-user",
        provider: "Microsoft",
        class: HARD,
        fault: Fault::Recipient,
        patterns: &[
            "resolver.adr.{recipnotfound|exrecipnotfound|recipientnotfound|recipientnotfoundperm|invalidsmtp|badprimary\
             |invalidinex}",
            "recipient not found by smtp address lookup",
            "remote server returned {unknown recipient|mailbox unavailable}",
            "recipient address rejected access denied .. as 2018*",
            "5.4.1 .. recipient address rejected access denied .. *outlook.com*",
            "5.4.1 {@|} recipient address rejected access denied",
            "5.1.10 recipient not found",
        ],
        examples: &[
            "550 5.1.1 RESOLVER.ADR.RecipNotFound; not found",
            "smtp;550 5.4.1 Recipient address rejected: Access denied. AS(201806281) \
             [DB5EUR01FT012.eop-EUR01.prod.protection.outlook.com]",
            "550 5.4.1 [b@example.org]: Recipient address rejected: Access denied \
             [AM5EUR02FT047.eop-EUR02.prod.protection.outlook.com]",
            "550 permanent failure for one or more recipients (b@example.org:550 5.4.1 [b@example.org]: Recipient address \
             rejected: Access denied...)",
        ],
        near_misses: &[
            "550 5.7.606 Access denied, banned sending IP [192.0.2.7] (AS16012609)",
            "550 5.7.1 Recipient address rejected: Access denied",
        ],
    },
    // <https://sendersupport.olc.protection.outlook.com/pm/troubleshooting.aspx>
    Rule {
        id: "ms-blocked",
        provider: "Microsoft",
        class: NONE,
        fault: Fault::Sender,
        patterns: &[
            "part of their network is on our block list",
            "*sender.office.com*",
            "*delist.messaging.microsoft.com*",
            "*mail.live.com/mail/*",
            "unfortunately messages from",
            "tenant has exceeded",
            "traffic not accepted from this ip",
            "weren't sent .. contact your internet service provider",
        ],
        examples: &["550 5.7.1 Your provider: part of their network is on our block list (S3150)"],
        near_misses: &[],
    },
    // <https://senders.yahooinc.com/smtp-error-codes/>
    Rule {
        id: "yahoo-deferred",
        provider: "Yahoo",
        class: NONE,
        fault: Fault::Sender,
        patterns: &[
            "{tss0|tss1|ts0|ts1|ph0|bl2|glsb|smtp glsb}*",
            "messages from .. {temporarily|permanently} deferred",
            "message not {accepted|allowed} .. policy reasons",
            "{unexpected volume|user complaints}",
        ],
        examples: &["421 4.7.0 [TSS04] Messages from 192.0.2.9 temporarily deferred due to unexpected volume or user \
         complaints"],
        near_misses: &[],
    },
    Rule {
        id: "aol-blocked",
        provider: "AOL",
        class: NONE,
        fault: Fault::Sender,
        patterns: &["{rly|dyn|hvu|con|rtr|spf|cnt} {b1|b2|b3|t1|bl|cl|du|bb|w}", "*postmaster.aol.com/error*"],
        examples: &["554 (HVU:B1) https://postmaster.aol.com/error-codes#554hvub1"],
        near_misses: &[],
    },
    Rule {
        id: "yahoo-no-account",
        provider: "Yahoo",
        class: HARD,
        fault: Fault::Recipient,
        patterns: &["user doesnt have {a|an} ~ account", "user doesnt have an account", "user does not have {a|an} ~ account"],
        examples: &["554 delivery error: dd Our user doesn't have an aol.com account [-5]"],
        near_misses: &["554 Message not allowed - [PH01] Email not accepted for policy reasons."],
    },
    // <https://support.apple.com/102322>
    Rule {
        id: "apple-policy",
        provider: "Apple",
        class: NONE,
        fault: Fault::Sender,
        patterns: &["{cs01|cs02|hm07|hm08|ci01} message rejected", "messages to @ deferred due to excessive volume"],
        examples: &[
            "554 5.7.1 [HM08] Message rejected due to local policy. Please visit https://support.apple.com/en-us/HT204137",
        ],
        near_misses: &[],
    },
    Rule {
        id: "apple-no-such-user",
        provider: "Apple",
        class: HARD,
        fault: Fault::Recipient,
        patterns: &["user lookup success but no user record", "recipient no longer on server"],
        examples: &["550 5.1.1 <b@icloud.com>: user lookup success but no user record found in backend"],
        near_misses: &["552 5.2.2 <b@icloud.com>: user is over quota"],
    },
    // <https://postmaster.comcast.net/smtp-error-codes.php>
    Rule {
        id: "comcast-blocked",
        provider: "Comcast",
        class: NONE,
        fault: Fault::Sender,
        patterns: &["{bl0000|rl0000|inv0000|dmarc0}*", "comcast requires that all mail servers"],
        examples: &["554 resimta-c1p-012345.sys.comcast.net comcast 192.0.2.4 Comcast block for spam. BL000000"],
        near_misses: &[],
    },
    Rule {
        id: "comcast-no-customer",
        provider: "Comcast",
        class: HARD,
        fault: Fault::Recipient,
        patterns: &["not our {customer|user|subscriber}", "account not available"],
        examples: &["550 5.1.1 Not our Customer", "550 5.1.1 <b@comcast.net> Account not available"],
        near_misses: &[],
    },
];
