//! The veto, first part: what speaks of the sender's reputation, authentication and address. None of it is HARD.

use super::super::rule::Rule;
use super::NONE;
use crate::opinion::Fault;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "reputation-list",
        provider: "",
        class: NONE,
        fault: Fault::Sender,
        patterns: &[
            "*blacklist*",
            "*blocklist*",
            "*denylist*",
            "*blackhole*",
            "black {list|listed}",
            "{block|deny} {list|listed}",
            "blackholed",
            "*dnsbl*",
            "{rbl|rbls|dbl|xbl|sbl|pbl|surbl|uribl|rhsbl|drbl|bl}",
            "rbl-*",
            "*spamhaus*",
            "*spamcop*",
            "*sorbs.net*",
            "*barracudacentral*",
            "*abuseat.org*",
            "*senderscore*",
            "*uceprotect*",
            "*cloudmark*",
            "*abusix*",
            "*invaluement*",
            "*mailspike*",
            "*spamrats*",
            "*njabl*",
            "*manitu.net*",
            "*backscatterer*",
            "{is|are|been|was|address|currently} listed {in|at|by|on}",
            "client host ~ listed",
            "{lista negra|lista nera|liste noire|listas negras|zwarte lijst|sperrliste|schwarzen liste|czarnej liscie\
             |czarna lista}",
            "{черном списке|черный список|черные списки}",
            "{ブラックリスト|黑名单|黑名單|拒收名单}",
        ],
        examples: &[
            "554 5.7.1 Client host [192.0.2.1] listed in zen.spamhaus.org",
            "550 5.1.1 Su IP está en una lista negra",
            "550 您的IP在黑名单中",
        ],
        near_misses: &["550 5.1.1 User is not listed in the directory"],
    },
    Rule {
        id: "reputation",
        provider: "",
        class: NONE,
        fault: Fault::Sender,
        patterns: &[
            "{reputation|ip-reputation|reputational}",
            "{blocked|rejected|refused|denied|banned} {using|via}",
            "banned {sending|sender|ip|host}",
            "{ip|ip address|client host|client|network|isp|hostname|connection|connections|netblock} ~ {blocked|banned\
             |rejected|denied|refused for|not allowed|not permitted|not welcome|prohibited|not authorized|not trusted|has \
             been refused}",
            // Not what a `host x said: 550 Address rejected` or a `server returned` of a relay goes on with.
            "{host|server} ~ {blocked|banned|not allowed|not permitted|not welcome|prohibited|not authorized|not trusted\
             |has been refused|is rejected|been rejected|is denied|been denied}",
            "{blocked|banned|rejected|denied|refuse|refused|prohibited} ~ {ip|ip address|client|your host|your server\
             |your network|your isp|mail server}",
            "{blocked|block|banned|blocking|blocks} {by|for|due to|because|see|your|from}",
            "{no|denied|refused} access from",
            "access from ~ {denied|refused|rejected|blocked|not allowed}",
            "open relay",
            "{dynamic|residential|dialup|dial-up} {ip|address|addresses|host|range|pool|client}",
            "{due to|because of} {abuse|complaints|spamming}",
            "{abuse|user|spam|recipient|feedback} {complaint|complaints}",
            "{abuse|complaint|complaints} ~ {detected|reported|rate|received|listed|policy}",
            "access to this mail system has been rejected",
            "{ip-adresse|ip adresse} ~ {gesperrt|blockiert|abgelehnt}",
            "{ip|direccion ip|endereco ip|indirizzo ip} ~ {bloquead|bloccat|bloque}*",
            "{заблокирован|заблокирована|заблокировано} ~ {отправител|адрес}*",
            "ip-адрес*",
        ],
        examples: &[
            "550 5.1.1 Your IP address 192.0.2.1 has been blocked",
            "554 No access from mail server 192.0.2.1",
            "554 5.1.1 Rejected due to abuse complaints",
            "550 Ihre IP-Adresse ist gesperrt",
        ],
        near_misses: &[
            "550 5.2.1 The mailbox is blocked",
            "550 5.1.2 Host unknown",
            "host mx.example.org said: 550 Address rejected, user unknown",
            "Remote Server returned '550 #5.1.0 Address rejected.'",
        ],
    },
    Rule {
        id: "reverse-dns",
        provider: "",
        class: NONE,
        fault: Fault::Sender,
        patterns: &[
            "{ptr|rdns|fcrdns|reverse-dns|reverse dns|reverse lookup|reverse hostname|reverse name|reverse mapping\
             |reverse record}",
            "ip name lookup failed",
            "{cannot|could not|unable to|cant} {find|resolve|verify} your {hostname|host|ip|domain|reverse}*",
            "{hostname|client|host} ~ {mismatch|mismatches|does not match|doesnt match|does not resolve|doesnt resolve\
             |not resolve}",
            "mismatches client ip",
            "forward-confirmed",
            "cannot resolve your",
            "your hostname",
            "no rdns",
        ],
        examples: &[
            "550 5.7.25 The IP address sending this message does not have a PTR record",
            "450 4.7.1 Cannot find your hostname, [192.0.2.1]",
        ],
        near_misses: &["550 5.1.2 Host or domain name not found"],
    },
    Rule {
        id: "authentication",
        provider: "",
        class: NONE,
        fault: Fault::Sender,
        patterns: &[
            "{spf|dkim|dmarc|arc|senderid|sender id|sender policy framework|domainkeys|spf/dkim|spf/dns|spf-*}",
            "*dmarc*",
            "*spf.pobox*",
            "*openspf*",
            "{authentication|authenticate|authenticated|unauthenticated|unauthorized|auth} ~ {required|failed|failure\
             |failures|fails|first|data|mail|email|sender|senders|check|checks|needed|error|invalid|credentials|level\
             |connection|user}",
            "{must|not|failed to|fails to|need to|please} {authenticate|authenticated|authenticating}",
            "smtp auth",
            "smtp authentication",
            "authentication {required|failed|unsuccessful|credentials}",
            "{mta-sts|dane|tlsa}",
            "{starttls|tls|ssl|encryption} ~ {required|require|first|needed|failed|negotiation|version|certificate\
             |handshake|not available|supported|is required}",
            "{require|requires|required|must issue a|must issue|need|needs|no|issue} {tls|starttls|encryption|ssl|secure \
             connection|high-strength ciphers}*",
            "*starttls*",
            "certificate",
            // Replies to AUTH (RFC 4954).
            "{534|535|538}",
            "log in with",
            "{must|please|need to|first} {log in|login}",
            "login {denied|failed|required|rejected}",
            "password {required|incorrect|invalid|expired}",
            "{user|username|user name|userid|login} {credentials|password|and password|or password|name and password|name \
             or password}",
            "{invalid|incorrect|bad|wrong} {credentials|password|login}",
            "pop before smtp",
            "login attempts",
            "{аутентификац|авторизац}*",
            "認証",
            "未认证",
            "authentifi*",
            "autenticac*",
            "autenticaz*",
            "authentifizier*",
        ],
        examples: &[
            "550 5.1.1 SPF check failed for example.com",
            "530 Authentication required",
            "535 5.7.8 no such user",
            "530 You must log in: account not found",
            "550 5.7.1 Must issue a STARTTLS command first",
            "550 требуется аутентификация",
        ],
        near_misses: &["550 5.1.1 Author unknown here: no such user"],
    },
    Rule {
        id: "sender-address",
        provider: "",
        class: NONE,
        fault: Fault::Sender,
        patterns: &[
            "{sender|senders|originator|return path|return-path|envelope sender|envelope-sender|mail from|from|sending\
             |originating} {address|addresses|domain|domains|mailbox|host|email|ip|mail address|email address|e-mail \
             address|server|servers|mta|envelope address}",
            // `Your email was not delivered` says nothing of the sender.
            "your {address|addresses|domain|domains|mailbox|host|ip|mail address|email address|e-mail address|server\
             |servers|mta}",
            "{sender|senders|originator} ~ {rejected|denied|refused|invalid|unknown|blocked|not allowed|not authorized\
             |not permitted|not found|not exist|does not exist|banned|failed|disallowed|forbidden|verify|verification|is \
             not|unverified|restricted|unacceptable}",
            "{invalid|unknown|bad|illegal|unauthorized|unverified|unresolvable|blocked|forged|rejected|banned|restricted\
             |null|empty|missing|untrusted|unacceptable|authorized|allowed|accept|verify|verifying|verified|trusted\
             |approved|blocking} {sender|senders|envelope sender|return path|return-path|originator}",
            "{*mail_from*|mail from|from header|from headers|from field|from line|header from|header-from|return path\
             |return-path|of sender|valid from|blank from|in from|from domain|from address|*mailfrom}",
            "{sender callout|sender callback|verify callout|sender call-back|purported responsible|email address is not \
             verified}",
            "{valid|genuine|existing} sender",
            "{senders|originators} {site|server|system|end|side|policy|organization|company|account}",
            "{return|reply|reply-to|errors-to} {address|addresses|path}",
            // Exim's words for a sender; of a recipient it says that its callout failed.
            "{verification failed for @|callback setup failed while verifying|postmaster verification failed}",
            "{callout|callback} to",
            "{are|are using} {to send|sending from|sending as}",
            "{using|account} to send {does|doesnt|is|was|has|not}",
            "{sending from|send from|envelope domain|sending account|client hostname|client host name|sending hostname}",
            "your {email|e-mail} {is not|isnt|does not|doesnt}",
            "you are not {a|an|the|in|on|authorized|allowed|permitted|known}",
            "you {do not|dont} have {an|a valid|any} {account|mailbox|address}",
            "your {login|credentials}",
            "your account {is|isnt|has|was|does|doesnt|cannot|may}",
            "{from-address|from-domain|sender-address|sender-domain|sender-mailbox|envelope-from|return-address|from-header}",
            "{whitelist|whitelisted|white-listed|allowlist|allow-list|safelist|safe list|white list}*",
            "{batv|prvs|never sent mail|never sent a message|never sent this}",
            "from {unknown|an unknown|nonexistent|an invalid} {host|domain|server|sender}",
            "{helo|ehlo|helo/ehlo|ehlo/helo|hello command}",
            "not {allowed|authorized|authorised|permitted|able|entitled} to {send|post|mail|email|use|submit|deliver|write}",
            "{permission|permissions|privilege|privileges|authorization|rights} to {send|post|mail|email|submit|use}",
            "{not a member|moderated|members only|members-only|subscribers only|insufficient permission|yourself}",
            "{only|just} {accepts|accept} {mail|messages|email|e-mail|e-mails} from",
            "{does not|doesnt|do not|dont|not|never} {accept|accepting|want|wish} ~ from",
            "{mail|mails|messages|message|email|e-mail} from ~ {rejected|denied|refused|blocked|not accepted|not allowed}",
        ],
        examples: &[
            "553 5.1.8 We could not find the domain of sender <a@example.com>",
            "550 5.1.1 unknown user (in reply to MAIL FROM command)",
            "550 Sender verify failed",
            "550 You are not allowed to post to this list",
            "550-Verification failed for <a@example.com> 550-No Such User Here",
            "550 5.7.1 The account you are using to send does not exist",
            "550 no MX for the envelope domain",
            "550 You are not a valid user of this relay",
            "550 5.1.1 You are not on the recipient's whitelist",
        ],
        near_misses: &[
            "550 5.1.1 User unknown. Mail is returned to sender.",
            "550 The address you are sending to does not exist",
            "550-Callout verification failed: 550 5.1.1 no such user",
            "550 Recipient's mailbox does not exist. Your email was not delivered.",
            "550 Mailbox not found. Ask us if you need help with your account.",
            "550-Mailbox unknown. Either there is none or you do not have authorization to see it.",
        ],
    },
];
