//! The veto, second part: volume and rate. None of it is HARD, though the words often name recipients.

use super::super::rule::Rule;
use super::NONE;
use crate::opinion::Fault;

pub(super) const RULES: &[Rule] = &[Rule {
    id: "rate-limit",
    provider: "",
    class: NONE,
    fault: Fault::Sender,
    patterns: &[
        "{rate limit|rate-limit|ratelimit|rate control|throttl|throttling|greylist|graylist|grey-list|gray-list|grey list}*",
        "{too many|too much|excessive|unusual|high} {messages|message|mails|mail|emails|email|e-mails|connections\
         |connection|recipients|sessions|concurrent|errors|invalid|unknown|bad|wrong|failed|nonexistent|non-existent|non \
         existent|non-existing|nonexisting|undeliverable|rejected|rcpt|commands|login|unauthenticated|requests|volume\
         |simultaneous|junk|traffic|rate}",
        "{relay|daily|hourly|sending|message|connection|connections|rate|recipient|recipients|line|thread|outbound|send\
         |session|sessions|messages} {limit|limits|quota|quotas|threshold|rate} ~ {exceeded|exceed|exceeds|reached|hit}",
        "too many ~ {errors|failures|unknown|invalid|bad recipients|nonexistent|complaints}",
        "{number|rate|ratio|percentage|proportion|amount|volume|lot|lots} of {invalid|unknown|bad|nonexistent\
         |non-existent|nonexisting|non-existing|undeliverable|incorrect|wrong|rejected|hard}",
        "{exceed|exceeded|exceeds|exceeding|reached} ~ {connections|number of recipients|maximum recipients|max \
         recipients|allowed recipients|recipients per|recipients limit|rate|threshold|permitted limits|outbound thread\
         |message limit|messages per|daily limit|hourly limit|sending limit|relay quota|send limit|line limit|maximum \
         number of}",
        "{exceeded|exceeds|reached} {its|your|the} {quota for sending|sending}",
        "{messages|connections|mails|emails|recipients|limit} per {hour|minute|day|second|connection|session}",
        "{this hour|per-hour|too fast|too frequently|too quickly|unusual rate|frequency limited|blocked for the day}",
        "{deferred|delayed|limited|deferring} due to",
        "{slow down|flood|flooding|burst|mail bomb|bulk sender|bulk senders|bounce attack|directory harvest|harvesting\
         |dictionary attack}",
        "denial of service",
        "{频率|頻率|过于频繁|過於頻繁|发送过快|送信数|流量制限}",
        "{trop de|zu viele|demasiados|demasiadas|muitas|muitos|troppi|troppe|te veel|zbyt wiele|za duzo|слишком много} \
         {connexions|messages|mails|destinataires|verbindungen|nachrichten|empfanger|e-mails|mensajes|conexiones\
         |destinatarios|conexoes|mensagens|messaggi|connessioni|verbindingen|berichten|polaczen|wiadomosci|сообщени\
         |соединени|писем|получател}*",
    ],
    examples: &[
        "554 192.0.2.1 has sent to too many invalid recipients",
        "550 5.1.1 Daily sending limit exceeded",
        "554 Recipient address rejected: too many recent errors, unknown users",
        "550 Rejected: the percentage of invalid recipients is too high",
        "450 4.2.0 <b@example.org>: Recipient address rejected: Greylisted",
        "550 Слишком много писем",
    ],
    near_misses: &[
        "552 5.2.2 Storage limit exceeded",
        "550 Quota exceeded. The recipient's mailbox is full.",
        "550 5.1.1 Recipient unknown",
    ],
}];
