//! What went wrong between the two: relaying, time, connections, name servers, the receiving system itself.

use super::super::rule::Rule;
use super::{EXPIRED, SOFT};
use crate::opinion::Fault;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "relaying",
        provider: "",
        class: SOFT,
        fault: Fault::Infrastructure,
        patterns: &[
            "{relay|relaying|relayed|relays|relay access|mail relay} ~ {denied|not permitted|not allowed|prohibited\
             |disallowed|forbidden|rejected|refused|not authorized|disabled|not supported|not available|restricted|is not}",
            "{unable to|not configured to|does not|doesnt|do not|dont|will not|cannot|cant|not allowed to|not permitted \
             to|refuse to|refusing to|we do not|not an open|no|not authorized to|to allow} {relay|relaying}",
            "{rcpthosts|not a relay|no relaying|relay restriction|relaying blocked|mail routing denied|not a gateway|we \
             are not a relay|is not local here|not hosted here}",
            "domain isnt {in my list|allowed to be relayed}",
            "{weiterleitung nicht|relais refuse|relais interdit|retransmision no|relay nao|inoltro non|中继|中繼|中継拒否|ретрансляц}*",
        ],
        examples: &[
            "550 5.7.1 Relaying to <b@example.org> denied",
            "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)",
        ],
        near_misses: &["550 5.1.1 user unknown (relay mx.example.org)"],
    },
    Rule {
        id: "routing-loop",
        provider: "",
        class: SOFT,
        fault: Fault::Infrastructure,
        patterns: &[
            "{mail loop|mail-loop|routing loop|loops back|looping|loop detected|too many hops|hop count|message loop|too \
             many received|many hops|forwarding loop}*",
        ],
        examples: &["554 5.4.6 Too many hops"],
        near_misses: &[],
    },
    Rule {
        id: "expired",
        provider: "",
        class: EXPIRED,
        fault: Fault::Infrastructure,
        patterns: &[
            "{message|queue|delivery|delivery time|lifetime|retry time|retry timeout|messages|retention} ~ {expired\
             |exceeded|past the expiration|past expiration|timed out in queue}",
            "{in the queue too long|in queue too long|deleted from queue|been in the queue|too long in queue|too old\
             |giving up after|will be retried|be retried for}",
            "{could not be delivered|not delivered|unable to deliver|undeliverable|undelivered|been delayed|retrying} \
             {for|within|after|in} ~ {hours|days|hour|day|too long|minutes|attempts}",
            "{delivery failed|failed after|after} ~ attempts",
            "{has been|message|delivery} delayed",
            "been failing for a long time",
        ],
        examples: &["421 4.4.7 Message expired in queue", "smtp;message could not be delivered within 3 days"],
        near_misses: &["550 5.2.1 The account has expired"],
    },
    Rule {
        id: "connection",
        provider: "",
        class: SOFT,
        fault: Fault::Infrastructure,
        patterns: &[
            "{connection|connect|operation|session|network|handshake|read|socket|conversation|greeting} ~ {timed out\
             |timeout|refused|reset|unreachable|not reachable|lost|closed|dropped|terminated|failed|aborted|error|expired}",
            "{could not|unable to|cannot|cant|wasnt able to|couldnt|was not able to|being unable to|failed to|did not \
             accept our requests to} {connect|establish|contact|reach|open connection}*",
            "{no route to|no answer from|not reachable|lost connection|timed out|timeout while|bad connection|connection \
             died|dead host|no response from}",
            "host ~ {unreachable|not reachable|timed out|did not respond}",
            "*did not respond*",
        ],
        examples: &["connect to mx.example.org[192.0.2.1]:25: Connection timed out", "421 4.4.2 lost connection"],
        near_misses: &[],
    },
    Rule {
        id: "name-service",
        provider: "",
        class: SOFT,
        fault: Fault::Infrastructure,
        patterns: &[
            "{host|domain} {not found|unknown|lookup} ~ {try again|temporary|later}",
            "{name server|name service|dns|nameserver|mx|host name} ~ {timeout|timed out|temporary|try again|query failed\
             |servfail|malformed|had no relevant answers|failed to respond|unexpected}",
            "{host name lookup failure|name server lookup failure|temporary lookup|temporary dns|dns query failed\
             |servfail|temporary name}",
        ],
        examples: &["451 4.4.3 Host not found, try again", "451 4.4.312 DNS query failed for nowhere.example"],
        near_misses: &["Host nowhere.example not found"],
    },
    Rule {
        id: "system",
        provider: "",
        class: SOFT,
        fault: Fault::Infrastructure,
        patterns: &[
            "{internal|system|server|local|database|backend|ldap|configuration|disk|i/o|software|write|directory} {error\
             |failure|problem|errors|problems|configuration error|system error|server error|lookup failure}",
            "{temporary|transient|temporarily} {failure|problem|error|server|system|local|unavailable|rejected|deferred\
             |lookup|unable|not available|refused|issue}",
            "{service|server|system|resources|service temporarily|mail system|mail server|host} {unavailable|busy|is busy\
             |not available|is unavailable|overloaded|temporarily|currently unavailable|is down|not accepting|is not \
             accepting|shutting down|too busy}",
            "{try again later|please try later|try later|retry later|please retry|please try again|later try again|host \
             try again|try again in}",
            "{could not|unable to|cannot} {lock|create|open|write|load|append|expand|complete|contact}",
            "{insufficient system|out of memory|too many open files|mailing list expansion|aliasing|ambiguous|message \
             ended early|queue file|mailbox locked|mailbox busy|hardware error|not configured|misconfigured\
             |misconfiguration|configuration problem|incorrect hostname|invalid arguments|lock failure|no such file|no \
             such device}",
            "{essayer plus tard|spater erneut|spater noch einmal|mas tarde|mais tarde|piu tardi|later opnieuw|sprobuj \
             pozniej|попробуйте позже|позже|稍后再试|稍後再試|後で}",
        ],
        examples: &["451 4.3.0 Temporary system problem", "550 5.3.5 Internal server error"],
        near_misses: &[],
    },
];
