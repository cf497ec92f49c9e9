//! The recipient's domain does not exist, or takes no mail (RFC 7505).

use super::super::rule::Rule;
use super::HARD;
use crate::opinion::Fault;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "bad-domain",
        provider: "",
        class: HARD,
        fault: Fault::Recipient,
        patterns: &[
            "{host|domain|domain name|host or domain name|hostname|mail domain|email domain|destination domain|recipient \
             domain|destination host|mail host} ~ {not found|unknown|does not exist|doesnt exist|do not exist|not exist\
             |not exists|nonexistent|non-existent|cannot be found|could not be found|couldnt be found|no longer exists\
             |cannot be resolved|could not be resolved|not resolvable|isnt valid|unrouteable|unroutable|not valid|not \
             registered|appears not to exist|wasnt found|isnt found|unknow|dont exist}",
            "{no such|unknown|nonexistent|non-existent|nonexisting|non existent|bad destination|bad recipient|unrouteable\
             |unroutable|unroutable mail|unrouteable mail|illegal|illegal host/} {domain|host|mail domain|domain name\
             |address domain|mail server|system|fqdn}",
            "{unrouteable|unroutable|unrouteble} {address|recipient|email|mail}",
            "{couldnt|could not|cannot|cant|unable to} {find|locate} {any host|a mail exchanger|any mail exchanger|host\
             |domain|an mx|any mx|mx|a host|the domain|the host|destination host|recipient domain|a mail server|any mail \
             server}*",
            "{no|null|missing|without} {mx|mx record|mx records|mx found|mx host|mx server|mail exchanger|mail exchangers\
             |mail exchange|mail server|a record|dns record|dns records|dns entry|dns entries|dns information|valid mx}",
            "has no {a aaaa|a or mx|mx or a|mx a|aaaa}",
            "{*unknownhostexception|nxdomain|nullmx|null-mx|no such domain|domain name not found|enotfound|no such host\
             |answer with no data|infodomainnonexistent|infonorecords|dnsdomaindoesnotexist}",
            "no mail servers {for|found|exist}",
            "5.1.2 {invalid|bad} domain",
            "{domain|host|hostname} {does not|doesnt|do not|will not} {accept|receive|handle|have|exist|resolve}*",
            "all relevant mx records point to non-existent hosts",
            "{unable to resolve|cannot resolve|could not resolve|failed to resolve} ~ {domain|host|hostname|recipient\
             |destination|name}",
            "{recipient|destination} {domain|host} ~ {invalid|not valid|is bad|not hosted}",
            "{illegal host domain name|host address lookups failed|host lookup failed|name or service not known|no \
             address associated with hostname|nodename nor servname|domain must exist|mentioned in email address is \
             unknown|dns name error|invalid destination domain|not appear in dns|not exist in dns}",
        ],
        examples: &[
            "Host or domain name not found: nowhere.example (AAAA)",
            "550 5.1.2 We could not find the domain: no such domain",
            "556 5.1.10 <b@example.org>: Recipient address rejected: Domain example.org does not accept mail (nullMX)",
            "550 Unrouteable address <b@example.org>, no host takes its mail",
            "getaddrinfo ENOTFOUND mx.nowhere.example",
            "no DNS entry for nowhere.example",
            "550 5.4.4 InfoNoRecords: DNS server returned answer with no data",
            "unable to look up host nowhere.example: No address associated with hostname",
            "nowhere.example has no A, AAAA or MX record",
            "550 The domain nowhere.example is not registered",
        ],
        near_misses: &[
            "553 5.1.8 We could not find the domain of sender <a@example.com>",
            "451 Host not found, try again",
            "501 Invalid domain name",
            "550 5.5.4 Invalid domain name",
            "getaddrinfo EAI_AGAIN mx.example.org",
            "550 no MX for your domain",
            "550 Message rejected: the link in it points to a domain which does not exist",
        ],
    },
    Rule {
        id: "bad-domain-words",
        provider: "",
        class: HARD,
        fault: Fault::Recipient,
        patterns: &[
            "{domaine|domain|dominio|domein|domena|domeny|domäne|domenet|domanet|domanen|domene|alan adi|verkkotunnusta} \
             ~ {inconnu|introuvable|n'existe pas|unbekannt|existiert nicht|nicht gefunden|no existe|no encontrado\
             |desconocido|inexistente|nao existe|desconhecido|nao encontrado|sconosciuto|inesistente|non esiste|non \
             trovato|bestaat niet|onbekend|niet gevonden|nie istnieje|nieznana|nie znaleziono|neexistuje|finns inte\
             |findes ikke|finnes ikke|bulunamadi|mevcut degil|ei loydy|ei ole olemassa}",
            "{domaine|dominio} inconnu",
            "{nieznana domena|onbekend domein|dominio desconocido|unbekannte domain|unbekannter host|hote inconnu\
             |servidor desconocido}",
            "{домен|домена|домене} ~ {не існує|не знайден|не существует|не найден|неизвестен|не обслуживается}",
            "{ドメイン|ホスト} ~ {見つかりません|存在しません|存在しない|見つからない|不明}",
            "{도메인|호스트} ~ {존재하지 않|찾을 수 없|알 수 없|없습니다}",
            "{域名|网域|網域|主机} ~ {不存在|找不到|无法解析|無法解析|未找到}",
        ],
        examples: &[
            "550 Le domaine example.fr n'existe pas",
            "550 Домен example.ru не найден",
            "550 域名不存在",
            "550 El dominio no existe",
            "550 指定されたドメインは存在しません",
        ],
        near_misses: &["550 El usuario no existe"],
    },
];
