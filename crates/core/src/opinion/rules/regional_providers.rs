//! Mailbox providers of single countries: GMX and Web.de, T-Online; Orange, Free, OVH; Mail.ru, Yandex; QQ, `NetEase`.

use super::super::rule::Rule;
use super::{HARD, NONE, SOFT};
use crate::opinion::Fault;

pub(super) const RULES: &[Rule] = &[
    // <https://postmaster.gmx.net/en/error-messages>: the same first line for an unknown user and for a refused sender.
    Rule {
        id: "gmx-refused-sender",
        provider: "GMX, Web.de",
        class: NONE,
        fault: Fault::Sender,
        patterns: &[
            "mailbox unavailable .. {reject due to|invalid dns|sender|policy|bad dns|dns ptr|spam}",
            "{nemesis esmtp service not available|no smtp service} .. {bad dns|ip address|policy|reject}",
            "*error-messages?ip=*c={bip|bl|hi|mx|ptr|badpolicy|rate}*",
        ],
        examples: &[
            "550-Requested action not taken: mailbox unavailable 550-Reject due to policy restrictions.",
            "550 Requested action not taken: mailbox unavailable Invalid DNS MX or A/AAAA resource record",
            "554-No SMTP service 554-IP address is black listed.",
        ],
        near_misses: &["550 Requested action not taken: mailbox unavailable"],
    },
    Rule {
        id: "gmx-no-such-user",
        provider: "GMX, Web.de",
        class: HARD,
        fault: Fault::Recipient,
        patterns: &["550 requested action not taken mailbox unavailable for explanation"],
        examples: &["550-Requested action not taken: mailbox unavailable 550 For explanation visit https://postmaster.web.de"],
        near_misses: &["450 Requested mail action not taken: mailbox unavailable"],
    },
    Rule {
        id: "t-online-blocked",
        provider: "T-Online",
        class: NONE,
        fault: Fault::Sender,
        patterns: &["problem occurred ask your postmaster"],
        examples: &["554 IP=192.0.2.5 - A problem occurred. (Ask your postmaster for help or to contact them to clarify.)"],
        near_misses: &[],
    },
    // <https://assistance.orange.fr/> and <https://postmaster.laposte.net/>: every text ends in a number of theirs.
    Rule {
        id: "orange-mailbox-full",
        provider: "Orange, La Poste",
        class: SOFT,
        fault: Fault::Recipient,
        patterns: &["*ofr*_417", "*_417 417", "boite du destinataire pleine", "recipient overquota"],
        examples: &["552 La boîte du destinataire pleine OFR004_417"],
        near_misses: &[],
    },
    Rule {
        id: "orange-inactive",
        provider: "Orange, La Poste",
        class: SOFT,
        fault: Fault::Recipient,
        patterns: &[
            "boite du destinataire {archivee|bloquee|suspendue|inactive}",
            "compte du destinataire est {bloque|suspendu|inactif}",
        ],
        examples: &["550 5.5.0 Boîte du destinataire archivée. Archived recipient. LPN007_420"],
        near_misses: &[],
    },
    Rule {
        id: "orange-blocked",
        provider: "Orange, Free, La Poste",
        class: NONE,
        fault: Fault::Sender,
        patterns: &[
            "adresse ip source bloquee",
            "service refuse veuillez essayer",
            "trop de {connexions|messages|spams|mails}",
            "too many spams from your ip",
            "emails envoyes vers .. ont ete bloques",
        ],
        examples: &["550 mwinf5c20 ME Adresse IP source bloquée pour incident de spam. OFR006_102"],
        near_misses: &[],
    },
    Rule {
        id: "orange-no-such-user",
        provider: "Orange, La Poste",
        class: HARD,
        fault: Fault::Recipient,
        patterns: &["adresse {d au moins un|du} destinataire {invalide|inconnue}", "*_416 416"],
        examples: &["550 5.1.1 Adresse d au moins un destinataire invalide. Invalid recipient. OFR_416 [416]"],
        near_misses: &["501 5.1.0 Émetteur invalide. Invalid Sender. OFR004_405"],
    },
    Rule {
        id: "free-inactive",
        provider: "Free, OVH",
        class: SOFT,
        fault: Fault::Recipient,
        patterns: &["mailbox ~ blocked due to inactivity", "blocked due to inactivity", "boite ~ bloquee .. inactivite"],
        examples: &["550 5.2.1 This mailbox has been blocked due to inactivity (UserSearch)"],
        near_misses: &[],
    },
    // <https://help.mail.ru/mail/faq/smtp>
    Rule {
        id: "mailru-disabled",
        provider: "Mail.ru",
        class: SOFT,
        fault: Fault::Recipient,
        patterns: &[
            "local mailbox @ is unavailable {account|user} is {disabled|blocked|frozen|terminated}",
            "mailbox is \
         frozen",
        ],
        examples: &[
            "550 Message was not accepted -- invalid mailbox. Local mailbox b@mail.ru is unavailable: account is disabled",
        ],
        near_misses: &["550 Message was not accepted -- invalid mailbox. Local mailbox b@mail.ru is unavailable: user not \
         found"],
    },
    Rule {
        id: "mailru-no-such-user",
        provider: "Mail.ru",
        class: HARD,
        fault: Fault::Recipient,
        patterns: &[
            "message was not accepted invalid mailbox",
            "local mailbox @ is unavailable {user not found|user is deleted}",
        ],
        examples: &["550 Message was not accepted -- invalid mailbox. Local mailbox b@mail.ru is unavailable: user not found"],
        near_misses: &["550 spam message rejected. Please visit http://help.mail.ru/notspam-support/id?c=x"],
    },
    Rule {
        id: "yandex-policy",
        provider: "Yandex",
        class: NONE,
        fault: Fault::Recipient,
        patterns: &["policy rejection on the target address", "*yandex.ru/support/mail/spam*"],
        examples: &["550 5.7.1 Policy rejection on the target address. Please see https://yandex.ru/support/mail/"],
        near_misses: &["550 5.7.1 No such user!"],
    },
    // <https://service.mail.qq.com/detail/0/92>
    Rule {
        id: "qq-refused-sender",
        provider: "QQ",
        class: NONE,
        fault: Fault::Sender,
        patterns: &[
            "connection frequency limited",
            "domain frequency limited",
            "suspected bounce attacks",
            "mail content denied",
        ],
        examples: &["550 Domain frequency limited http://service.mail.qq.com/cgi-bin/help?subtype=1&&id=20022"],
        near_misses: &["550 Mailbox not found. http://service.mail.qq.com/cgi-bin/help?subtype=1&&id=20022"],
    },
    // Which of the two it is only they know.
    Rule {
        id: "qq-unavailable",
        provider: "QQ",
        class: SOFT,
        fault: Fault::Recipient,
        patterns: &["mailbox unavailable or access denied"],
        examples: &[
            "550 Mailbox unavailable or access denied [Kx0uT4 IP: 192.0.2.3]. https://service.mail.qq.com/detail/122/169",
        ],
        near_misses: &["550 Mailbox not found. http://service.mail.qq.com/cgi-bin/help?subtype=1&&id=20022"],
    },
    Rule {
        id: "qq-no-such-user",
        provider: "QQ",
        class: HARD,
        fault: Fault::Recipient,
        patterns: &["recipient may contain a non-existent account", "550 mailbox not found .. *mail.qq.com*"],
        examples: &["550 The recipient may contain a non-existent account, please check the recipient address."],
        near_misses: &[],
    },
    // <https://mail.163.com/help/help_spam_16.htm>: two letters, a colon, three letters.
    Rule {
        id: "netease-refused-sender",
        provider: "NetEase",
        class: NONE,
        fault: Fault::Sender,
        patterns: &[
            "{dt|mi|rp|cl|ip|hl|sm} {spm|sum|spb|dmc|cel|trc|rdn|ele|sfq|stc|bda|mbf|lmt|dul|spf|rep|itc|ifr|qrc|srq|nsp\
             |rdr|csl|mhl}",
            "*help_spam_16*",
        ],
        examples: &["554 DT:SPM 163 mx12,PsCowAD3XX please see http://mail.163.com/help/help_spam_16.htm", "550 MI:SPF"],
        near_misses: &["550 User not found: b@163.com"],
    },
];
