//! The veto, third part: what speaks of the message: spam, viruses, size, form, and the policies that judge it.

use super::super::rule::Rule;
use super::NONE;
use crate::opinion::Fault;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "spam",
        provider: "",
        class: NONE,
        fault: Fault::Content,
        patterns: &[
            "{spam|spams|spammer|spammers|spamming|spammy|antispam|anti-spam|spamassassin|spam-like|junk|uce|ube\
             |spamdetected|spamtrap|spam-trap|spamtraps|honeypot|spam-score|spamscore|spam-filter|spamfilter}",
            "{unsolicited|bulk mail|bulk email|bulk message|bulk e-mail|commercial email|mass mailing|phish|phishing|scam\
             |fraud|spoof|spoofed|spoofing|forged|malicious|backscatter}",
            "{нежелательн|рассылк|спам}*",
            "{垃圾邮件|垃圾郵件|垃圾信息|迷惑メール|スパム}",
            "{courrier indesirable|pourriel|unerwunschte|correo no deseado|posta indesiderata}",
        ],
        examples: &["550 5.1.1 Message identified as SPAM", "554 垃圾邮件", "550 письмо похоже на спам"],
        near_misses: &["smtp;550 <spam@example.org>: User unknown", "host mx.spam-filter.example said: 550 5.1.1 user unknown"],
    },
    Rule {
        id: "virus",
        provider: "",
        class: NONE,
        fault: Fault::Content,
        patterns: &["{virus|viruses|infected|malware|trojan|worm|ransomware|вирус|вирусы|вирусом|ウイルス|病毒}"],
        examples: &["552 5.7.0 Virus infected message rejected"],
        near_misses: &[],
    },
    Rule {
        id: "content",
        provider: "",
        class: NONE,
        fault: Fault::Content,
        patterns: &[
            "{message|mail|email|its|the|this|body|prohibited|restricted|suspicious|bad|offensive|due to|objectionable} \
             {content|contents}",
            "{address|addresses|domain|mailbox|recipient} in {the|} {header|headers|body|from|to header|cc}",
            "content {rejected|denied|filter|filtering|policy|blocked|scanner|refused|restriction|restrictions|analysis\
             |check|violation}",
            "{attachment|attachments|executable|banned file|file type|filename|zip file|macro|macros|url|urls|hyperlink\
             |link in|links}",
            "{suspicious|potential security|potentially harmful|security risk|security threat|censored|profanity|keyword\
             |keywords}",
            "{from|to|date|subject} {header|headers|field|line} ~ {missing|invalid|malformed|not}",
            "{header|headers|message-id|message id} {error|header|headers|missing|required|invalid|malformed|field|too \
             long|line}",
            "{malformed|invalid|duplicate|duplicated|missing|multiple|unparseable|illegal|bad|required} {header|headers\
             |message|message-id|mime|subject|date|from|to header|recipient header|mail header|mail format|mail message\
             |email header|email format|email message|character|characters|bare}",
            "{rfc 5322|rfc 2822|rfc 822|rfc5322|rfc2822|bare lf|bare cr|8bit|8-bit|utf8|smtputf8|non-ascii|mime|dsnotsupp}",
            "{message|mail|email} ~ {malformed|compliant|suspicious|unacceptable content|rejected by content}",
        ],
        examples: &[
            "554 5.6.0 Message contains invalid header",
            "550 5.1.1 message content rejected",
            "552 5.7.0 attachment type not allowed",
        ],
        near_misses: &[
            "550 5.1.1 unknown user, your message was not delivered",
            "550 5.1.1 Invalid email address",
            "550 5.1.1 no such user ##rfc822;b@example.org",
        ],
    },
    Rule {
        id: "message-size",
        provider: "",
        class: NONE,
        fault: Fault::Content,
        patterns: &[
            "{message|mail|email|e-mail|msg|header|attachment|nachricht|line|body} ~ {too large|too big|zu gross|size \
             limit|size limits|exceeds size|size exceed|larger than|oversize|oversized}*",
            "{message|mail|msg|email|e-mail|header} size ~ {exceed|exceeds|exceeded|limit|limits|too|larger|maximum|violation}",
            "{maximum|max|fixed maximum|permitted|allowed} {message|mail|email|e-mail|msg|header} size",
            "{exceeds|exceeded|larger than|over} ~ {message size|size limit|size limits|maximum message|max message\
             |maximum size|header size|mailsize limit|mail size}*",
            "{size of your message|size of the message|number of attachments|line too long|lines too long|header too long\
             |message too long|is too long|line limit}",
            "{message trop|message dépasse la taille|mensaje demasiado grande|mensagem muito grande|nachricht zu gross\
             |messaggio troppo grande|wiadomosc jest za duza|письмо слишком большое|размер письма|размер сообщения|邮件过大\
             |邮件大小|郵件過大|メッセージサイズ}",
        ],
        examples: &[
            "552 5.3.4 Message size exceeds fixed limit",
            "552 5.2.3 message too large for this recipient",
            "552 Nachricht zu groß",
        ],
        near_misses: &["552 5.2.2 Mailbox size limit exceeded"],
    },
    Rule {
        id: "policy",
        provider: "",
        class: NONE,
        fault: Fault::Sender,
        patterns: &[
            "{policy|policies|policy-reasons|security reasons|политик}*",
            "{message not allowed|message refused by|not accepted for|rejected for policy|prohibited by|violates\
             |violation|violated|regulations}",
            "{delivery not authorized|not authorised|transaction denied}",
            "{richtlinie|politica|politique|beleid|polityk}*",
            "{ポリシー|策略|政策}",
        ],
        examples: &["550 5.1.1 Rejected by local policy", "550 Abgelehnt gemäß Richtlinien"],
        near_misses: &["550 5.1.1 Recipient unknown"],
    },
    Rule {
        id: "protocol",
        provider: "",
        class: NONE,
        fault: Fault::Infrastructure,
        patterns: &[
            "{syntax error|protocol error|protocol violation|unrecognized command|unimplemented command|command unrecognized|command not implemented|parameter not implemented|pipelining|out of sequence|unrecognized authentication|synchronization error|command rejected|command not recognized|parameters not recognized|unsupported command}",
        ],
        examples: &["500 5.5.2 Syntax error, command unrecognized"],
        near_misses: &["550 5.1.1 unknown user 503 5.5.1 bad sequence of commands"],
    },
];
