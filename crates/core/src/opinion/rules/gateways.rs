//! Mail gateways that stand in front of many domains: Proofpoint, Mimecast, Barracuda, Cisco, Trend Micro, Cloudflare.

use super::super::rule::Rule;
use super::{HARD, NONE};
use crate::opinion::Fault;

pub(super) const RULES: &[Rule] = &[
    // <https://ipcheck.proofpoint.com/>
    Rule {
        id: "proofpoint-blocked",
        provider: "Proofpoint",
        class: NONE,
        fault: Fault::Sender,
        patterns: &["*proofpoint.com/{?ip|dnsbl}*", "blocked see .. *proofpoint.com*"],
        examples: &["554 Blocked - see https://ipcheck.proofpoint.com/?ip=192.0.2.11"],
        near_misses: &["550 5.1.1 User unknown, see https://help.proofpoint.com/"],
    },
    Rule {
        id: "proofpoint-no-such-user",
        provider: "Proofpoint",
        class: HARD,
        fault: Fault::Recipient,
        patterns: &["no such user {@ |}psmtp", "invalid recipient {ppe|proofpoint}"],
        examples: &["550 5.1.1 No such user <b@example.org> - psmtp"],
        near_misses: &["554 Message refused - psmtp"],
    },
    // <https://community.mimecast.com/s/article/email-security-cloud-gateway-mimecast-smtp-error-codes>
    Rule {
        id: "mimecast-policy",
        provider: "Mimecast",
        class: NONE,
        fault: Fault::Sender,
        patterns: &[
            "envelope {blocked|rejected}",
            "anti-spoofing",
            "rejected due to security policies",
            "administrative prohibition",
            "mcspamsignature*",
            "submitter failed to authenticate",
            "host network not allowed",
            "internal resources are temporarily unavailable",
            "sender invalid envelope",
            "this route requires",
        ],
        examples: &[
            "550 Administrative prohibition - envelope blocked [kQ3]",
            "554 Your mail was rejected due to security policies [kQ5]",
        ],
        near_misses: &["550 Invalid Recipient - https://community.mimecast.com/docs/DOC-1369#550"],
    },
    Rule {
        id: "mimecast-no-such-user",
        provider: "Mimecast",
        class: HARD,
        fault: Fault::Recipient,
        patterns: &["invalid recipient .. *mimecast*", "recipient .. not known .. *mimecast*"],
        examples: &["550 Invalid Recipient - https://community.mimecast.com/docs/DOC-1369#550 [kQ4]"],
        near_misses: &["550 Rejected by header based Anti-Spoofing policy: https://community.mimecast.com/docs/DOC-1369#550"],
    },
    // <https://campus.barracuda.com/product/emailsecuritygateway/>
    Rule {
        id: "barracuda-blocked",
        provider: "Barracuda",
        class: NONE,
        fault: Fault::Sender,
        patterns: &[
            "*barracudacentral.org*",
            "permanent failure for one or more recipients @ blocked",
            "{barracuda|barracudanetworks} .. {reputation|blocked|listed}",
            "rejecting due to barracuda*",
        ],
        examples: &["554 Service unavailable; Client host [192.0.2.6] blocked using b.barracudacentral.org"],
        near_misses: &["550 permanent failure for one or more recipients (b@example.org:550 5.1.1 User unknown)"],
    },
    Rule {
        id: "barracuda-no-such-domain",
        provider: "Barracuda",
        class: HARD,
        fault: Fault::Recipient,
        patterns: &["no such domain at this location", "no such {user|recipient} at this location"],
        examples: &["550 No such domain at this location (b@example.org)"],
        near_misses: &[],
    },
    // Cisco's appliance answers so to a recipient that its access table or directory does not have.
    Rule {
        id: "cisco-no-such-user",
        provider: "Cisco",
        class: HARD,
        fault: Fault::Recipient,
        patterns: &["550 5.1.0 address rejected", "5.1.0 address rejected @", "5.1.0 unknown address error 5.1.1"],
        examples: &["550 5.1.0 Address rejected <b@example.org>"],
        near_misses: &["550 5.1.0 Sender address rejected", "554 5.7.1 Address rejected"],
    },
    Rule {
        id: "cisco-reputation",
        provider: "Cisco",
        class: NONE,
        fault: Fault::Sender,
        patterns: &["senderbase reputation", "*senderbase.org*", "*talosintelligence.com*", "connection .. due to .. sbrs"],
        examples: &["554 Your access to this mail system has been rejected due to the sending MTA's poor SenderBase \
         reputation"],
        near_misses: &[],
    },
    Rule {
        id: "trend-micro-blocked",
        provider: "Trend Micro",
        class: NONE,
        fault: Fault::Sender,
        patterns: &["{blocked|rejected} .. trend micro", "*mail-abuse.com*", "*ers.trendmicro.com*"],
        examples: &["550 5.7.1 Service unavailable; Client host [192.0.2.2] blocked using Trend Micro Email Reputation \
         Service"],
        near_misses: &[],
    },
    Rule {
        id: "cloudflare-routing",
        provider: "Cloudflare",
        class: HARD,
        fault: Fault::Recipient,
        patterns: &["address does not exist .. *cloudflare.com*", "unknown recipient .. *cloudflare.com*"],
        examples: &["550 5.1.1 Address does not exist, please check \
         https://developers.cloudflare.com/email-routing/postmaster"],
        near_misses: &["421 4.3.0 Trouble upstream, see https://developers.cloudflare.com/"],
    },
];
