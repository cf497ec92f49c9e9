//! A mailbox that exists and takes nothing now: full, or inactive; in English and as software says it.

use super::super::rule::Rule;
use super::SOFT;
use crate::opinion::Fault;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "mailbox-full",
        provider: "",
        class: SOFT,
        fault: Fault::Recipient,
        patterns: &[
            "{over quota|overquota|over-quota|over the quota|over its quota|over his quota|over their quota|over disk \
             quota|above quota|out of quota|quota full|quota violation|quota limit|user quota|quota-issue}*",
            "{quota|quotas|mailquota} ~ {exceeded|exceed|exceeds|reached|full|violation|overdrawn|exhausted|overrun|over}",
            "{exceed|exceeded|exceeds|exceeding|exceded|reached} ~ {quota|storage|space|mailbox size|storage limit\
             |mailbox limit|disk|capacity|size of mailbox}",
            "{box} ~ {full|is full|overfull|too full|overflow|overflowed|overfilled|exhausted|overloaded}",
            "{box} ~ {size limit|storage limit|space limit|size exceed|limit exceeded|has exceeded|exceeded|exceeds|too \
             large|out of space|out of storage|no space|over limit|over the limit|has reached|maximum size|size is over}*",
            "{storage|space|disk|capacity} ~ {exceeded|exhausted|full|over limit|limit exceeded}",
            "{not enough|insufficient|no more|no|out of|lack of|low on|without} {disk space|space|storage|storage space\
             |free space|mailbox space|disk|quota|room} ~ {for|in|on|left|available|user|mailbox|account|recipient\
             |remaining|@}",
            "{not enough|insufficient|out of|no more} {storage|disk|quota|mailbox} space",
            "{full mailbox|not have enough space|space has been used up|no space left on device|too much mail data|would \
             exceed maximum|over the allowed|not sufficient disk|full inbox|mailboxfull|mailbox_full|mailbox-full\
             |*quotaexceeded*|over_quota|quota_exceeded|mboxfull|exceeded storage allocation|exceeds storage allocation\
             |storage allocation exceeded|exceeded mail quota}",
            "mail system ~ full",
        ],
        examples: &[
            "552 5.2.2 <b@example.org>: mailbox is full",
            "552 Requested mail action aborted: exceeded storage allocation",
            "550 5.1.1 sorry, the user is over quota",
            "452 4.2.2 Not enough space in mailbox",
            "550 The recipient has exceeded his mailbox size",
        ],
        near_misses: &["550 5.1.1 no full name known: no such user"],
    },
    Rule {
        id: "mailbox-inactive",
        provider: "",
        class: SOFT,
        fault: Fault::Recipient,
        patterns: &[
            "{who} ~ {disabled|inactive|deactivated|suspended|suspend the service|locked|frozen|inactivated|not active\
             |not activated\
             |disactivated|on hold|archived|on vacation|not enabled|not accepting|administratively|temporarily \
             unavailable|temporarily disabled|is temporarily|is restricted|not receiving|refuses to accept\
             |has been blocked|is blocked|blocked by admin|discontinued|terminated|is expired|has expired|dormant\
             |quarantined|disallowed by admin}",
            "{disabled|inactive|deactivated|suspended|locked|frozen|expired|blocked|archived|dormant} {user\
             |recipient|mailbox|account|address|email|customer|rcpt}",
            "{5.2.1|5.2.0} .. mailbox {unavailable|cannot be accessed|not available}",
            "mailbox {cannot be accessed|is not accessible|currently unavailable|temporarily}",
            "{who|@} {does not accept|not accept|doesnt accept|cannot receive|can not receive|not able to receive|unable \
             to receive|is not receiving|is not accepting|not allowed to receive|refuses|refuse to receive|is only \
             accepting} {mail|mails|messages|email|e-mail|any|external}*",
            "{recipient preferences|recipients preferences|refused by recipient|rejected by recipient|not accepting mail\
             |not accepting messages|mail receiving disabled|delivery disabled|mail disabled|blocked by the recipient|due \
             to user rules|message filtered|extended inactivity|protected by}",
            "{no longer|not} {active|monitored|activated|enabled}",
            "{temporarily|currently} closed",
            "has not logged in",
        ],
        examples: &[
            "550 5.2.1 The account b@example.org has been suspended",
            "550 <b@example.org> account is disabled",
            "550 5.2.1 Mailbox unavailable",
            "550 Inactive user",
            "550 5.1.1 This mailbox is no longer active",
        ],
        near_misses: &[
            "550 5.1.1 <b@example.org>: Recipient address rejected: user unknown",
            "550 mailbox unavailable",
            "550 This account has been permanently closed",
        ],
    },
];
