//! There is no such mailbox, in Slavic languages.

use super::super::rule::Rule;
use super::HARD;
use crate::opinion::Fault;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "unknown-user-pl",
        provider: "",
        class: HARD,
        fault: Fault::Recipient,
        patterns: &[
            "{uzytkownik|odbiorca|adres|adresat|konto|skrzynka|skrzynki|uzytkownika|odbiorcy|adresata|konta} ~ {nieznan\
             |nie istnieje|nie znaleziono|nieprawidlow|nie znalezion|niepoprawn|nie zostal znaleziony|nie jest znany}*",
            "{nieznany|nie ma takiego|brak takiego|brak|nieprawidlowy|nie znaleziono|nie istnieje} {uzytkownik\
             |uzytkownika|odbiorca|odbiorcy|adres|adresu|adresat|adresata|konto|konta|skrzynki}",
            "{nie ma takiej|brak takiej} {skrzynki|osoby}",
            "nie mozna {odnalezc|znalezc} ~ {adresu|odbiorcy|uzytkownika|skrzynki}",
        ],
        examples: &["550 Użytkownik nie istnieje", "550 Nieznany odbiorca", "550 Nie ma takiego użytkownika"],
        near_misses: &["550 Nieznany nadawca"],
    },
    Rule {
        id: "unknown-user-ru",
        provider: "",
        class: HARD,
        fault: Fault::Recipient,
        patterns: &[
            "{пользователь|пользователя|получатель|получателя|адрес|адресат|адресата|ящик|ящика|абонент|учетная запись\
             |адрес получателя|адрес электронной почты|аккаунт} ~ {не существует|не найден|неизвестен|не зарегистрирован\
             |не обнаружен|отсутствует|удален|неверный|недействителен|неправильный|не известен|удалена|не существуют|нет \
             на сервере}*",
            "{неизвестный|нет такого|несуществующий|неверный|неправильный|недействительный|нет|не найден|не существует} \
             {пользователь|пользователя|получатель|получателя|адрес|адресат|ящика|почтового ящика|такого пользователя\
             |такого адреса|такого ящика|такого получателя|почтовый ящик|адреса|адресата}",
            "{нету|нет|не существует} ~ такого",
            "такого {ящика|адреса|пользователя|получателя|адресата} {нет|не}",
        ],
        examples: &[
            "550 Пользователь не найден",
            "550 Нет такого пользователя",
            "550 Почтовый ящик b@example.ru не существует",
            "550 Неизвестный получатель",
        ],
        near_misses: &["550 Отправитель не найден"],
    },
    Rule {
        id: "unknown-user-uk",
        provider: "",
        class: HARD,
        fault: Fault::Recipient,
        patterns: &[
            "{користувач|користувача|одержувач|одержувача|отримувач|отримувача|адресат|адресата|адреса|адреси|адресу\
             |скриньки|скринька|скриньку|обліковий запис|абонент|ящик} ~ {не існує|не знайден|не знайдено|невідом|не \
             зареєстрован|відсутн|видален|недійсн|неправильн}*",
            "{не існує|не знайдено|невідомий|немає такого|такого|неіснуючий|нема такого|невідома|немає такої} {користувач\
             |користувача|одержувач|одержувача|отримувач|отримувача|адресат|адресата|адреса|адреси|скриньки|абонент\
             |абонента}",
        ],
        examples: &["550 Користувача не знайдено", "550 Невідомий одержувач", "550 Поштова скринька b@example.ua не існує"],
        near_misses: &["550 Адреса відправника не існує", "552 Поштова скринька користувача переповнена"],
    },
    Rule {
        id: "unknown-user-cs-sk",
        provider: "",
        class: HARD,
        fault: Fault::Recipient,
        patterns: &[
            "{uzivatel|uzivatele|uzivatelsky ucet|prijemce|adresat|adresata|adresa|adresu|schranka|schranku|ucet\
             |pouzivatel|pouzivatela|prijemca|prijimatel} ~ {neexistuje|neexistujici|neexistujuci|nebyl nalezen|nebyla \
             nalezena|nebylo nalezeno|nenalezen|nenajden|nebol najden|nebola najdena|neznam|neni znam|nie je znam|neplatn\
             |nelze najit|nezname|zrusen|smazan}*",
            "{neexistuje|neznamy|neznama|neexistujici|neexistujuci|neplatny|neplatna|takovy|taky|nenalezen|nelze najit} \
             {uzivatel|uzivatele|prijemce|adresat|adresa|schranka|ucet|pouzivatel|prijemca}",
        ],
        examples: &["550 Uživatel neexistuje", "550 Neznámý příjemce", "550 Schránka b@example.cz neexistuje"],
        near_misses: &["550 Odesílatel neexistuje", "550 Adresa odesílatele neexistuje", "552 Schránka je plná"],
    },
    Rule {
        id: "unknown-user-balkan",
        provider: "",
        class: HARD,
        fault: Fault::Recipient,
        patterns: &[
            "{korisnik|primatelj|primalac|uporabnik|prejemnik|adresa|naslov|sanduce} ~ {ne postoji|nije pronaden|nepoznat\
             |ne obstaja|neznan|ni najden|nepostojec}*",
            "{nepoznati|nepoznat|neznan|neznani|nepostojeci} {korisnik|primatelj|primalac|uporabnik|prejemnik|naslov}",
            "{потребител|потребителят|получателят|адресът|пощенска кутия|корисник|прималац} ~ {не съществува|не е намерен\
             |непознат|не постоји|неизвестен}*",
        ],
        examples: &["550 Korisnik ne postoji", "550 Uporabnik ne obstaja", "550 Потребителят не съществува"],
        near_misses: &["550 Pošiljatelj ne postoji"],
    },
];
