//! There is no such mailbox, in other languages than English: one rule a language.

use super::super::rule::Rule;
use super::HARD;
use crate::opinion::Fault;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "unknown-user-fr",
        provider: "",
        class: HARD,
        fault: Fault::Recipient,
        patterns: &[
            "{utilisateur|usager|destinataire|adresse|boite|boite aux lettres|compte|client|messagerie|abonne} ~ {inconnu\
             |inconnue|invalide|inexistant|inexistante|introuvable|n'existe pas|n'existe plus|n'est pas connu|non trouve\
             |non trouvee|pas trouve|est incorrecte|erronee}",
            "{aucun|aucune} {utilisateur|destinataire|compte|boite|adresse|boite aux lettres|abonne}",
        ],
        examples: &["550 Utilisateur inconnu", "550 5.1.1 L'adresse <b@example.fr> n'existe pas"],
        near_misses: &["550 Expéditeur inconnu"],
    },
    Rule {
        id: "unknown-user-de",
        provider: "",
        class: HARD,
        fault: Fault::Recipient,
        patterns: &[
            "{benutzer|adressat|empfanger|empfaenger|empfangeradresse|empfaengeradresse|adresse|postfach|konto|nutzer|teilnehmer\
             |mailadresse|e-mail-adresse|emailadresse|mailbox|anwender|account|kunde} ~ {unbekannt|existiert nicht|nicht \
             bekannt|nicht vorhanden|nicht gefunden|ungultig|ungueltig|gibt es nicht|nicht existent|nicht mehr vorhanden\
             |existiert hier nicht|nicht existiert|existiert leider nicht|existiert nicht mehr}",
            "{unbekannter|ungultiger|kein solcher|keine solche|kein gultiger|ungueltiger|unbekannte|ungultige|kein|nicht \
             existierender} {benutzer|empfanger|empfaenger|adresse|nutzer|postfach|mailbox|empfangeradresse|teilnehmer}",
        ],
        examples: &[
            "550 Empfänger unbekannt",
            "550 Unbekannter Benutzer",
            "550 Die E-Mail-Adresse <b@example.de> existiert nicht",
        ],
        near_misses: &["550 Absenderdomain existiert nicht"],
    },
    Rule {
        id: "unknown-user-es-pt",
        provider: "",
        class: HARD,
        fault: Fault::Recipient,
        patterns: &[
            "{usuario|destinatario|cuenta|buzon|direccion|casilla|correo|conta|caixa postal|caixa|endereco|utilizador\
             |caixa de correio|cliente|direccion de correo} ~ {desconocid|no existe|no encontrad|no valid|invalid\
             |inexistente|no se encuentra|no es valid|no fue encontrad|ya no existe|no se encontro|no reconocid\
             |desconhecid|nao existe|nao encontrad|nao foi encontrad|nao cadastrad|nao e valid|nao localizad|no registrad\
             |nao reconhecid}*",
            "{no existe|nao existe|inexistente|no se encontro|no se encuentra|nao ha|no hay} {el|la|dicha|dicho|ese|esa|este|esta|o\
             |a|esse|essa|ningun|nenhum|} {persona|usuario|destinatario|cuenta|buzon|direccion|conta|endereco|caixa}",
        ],
        examples: &[
            "550 Usuario desconocido",
            "550 El destinatario no existe",
            "550 Usuário não encontrado",
            "550 Caixa postal inexistente",
            "550 No existe el usuario",
            "550 A conta não existe",
        ],
        near_misses: &["550 El remitente no existe"],
    },
    Rule {
        id: "unknown-user-it",
        provider: "",
        class: HARD,
        fault: Fault::Recipient,
        patterns: &[
            "{utente|destinatario|casella|indirizzo|account|cassetta|casella di posta|mailbox} ~ {sconosciut|inesistente\
             |non esiste|non trovat|non valid|non e valid|non presente|non riconosciut|non e presente|errat|non e stato \
             trovato|non risulta}*",
            "{nessun|nessuna} {utente|destinatario|casella|indirizzo|account}",
        ],
        examples: &["550 Utente sconosciuto", "550 La casella di posta non esiste"],
        near_misses: &["550 Mittente sconosciuto"],
    },
    Rule {
        id: "unknown-user-nl",
        provider: "",
        class: HARD,
        fault: Fault::Recipient,
        patterns: &[
            "{gebruiker|ontvanger|adres|postvak|mailbox|e-mailadres|account|postbus|emailadres|geadresseerde} ~ {onbekend\
             |bestaat niet|niet gevonden|ongeldig|niet bekend|bestaat niet meer|bestaat hier niet}",
            "{onbekende|ongeldige|geen} {gebruiker|ontvanger|geadresseerde|postvak|account|mailbox}",
        ],
        examples: &["550 Onbekende gebruiker", "550 De mailbox b@example.nl bestaat niet"],
        near_misses: &["550 Afzender onbekend"],
    },
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
            "{nie ma takiej|brak takiej} skrzynki",
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
             |адрес получателя|аккаунт} ~ {не существует|не найден|неизвестен|не зарегистрирован|не обнаружен|отсутствует\
             |удален|неверный|недействителен|неправильный|не известен|удалена|не существуют|нет на сервере}*",
            "{неизвестный|нет такого|несуществующий|неверный|нет|не найден|не существует} {пользователь|пользователя\
             |получатель|получателя|адрес|адресат|ящика|почтового ящика|такого пользователя|такого адреса|такого ящика\
             |такого получателя|почтовый ящик|адреса|адресата}",
            "{нету|нет} ~ такого",
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
        id: "unknown-user-ja",
        provider: "",
        class: HARD,
        fault: Fault::Recipient,
        patterns: &[
            "{ユーザー|ユーザ|宛先|受信者|メールアドレス|アドレス|アカウント|メールボックス|名前|送信先|あて先|宛て先|利用者} .. {存在しません|存在しない|見つかりません|見つかりませんでした|見つからない\
             |不明|登録されていません|存在いたしません|ありません|存在していません|間違って|正しくありません|には見つかりません}",
            "{不明な|存在しない|無効な} {ユーザー|ユーザ|宛先|受信者|アドレス|メールアドレス|アカウント}",
            "{不明なユーザー|不明なユーザ|存在しないユーザ|存在しない宛先|存在しないアドレス|存在しないメールアドレス|宛先不明|ユーザー不明|ユーザ不明|あて先不明}",
        ],
        examples: &["550 宛先のメールアドレスは存在しません", "550 ユーザーが見つかりません", "550 宛先不明"],
        near_misses: &["550 ドメインが存在しません", "550 送信者のアドレスが存在しません"],
    },
    Rule {
        id: "unknown-user-zh",
        provider: "",
        class: HARD,
        fault: Fault::Recipient,
        patterns: &[
            "{用户|用戶|收件人|收件者|邮箱|郵箱|信箱|账号|帐号|帳號|賬號|账户|帐户|地址|邮件地址|使用者|收信人|邮箱地址|邮件帐户} ~ {不存在|未找到|找不到|无效|無效|没有找到|沒有找到|未注册|不正确\
             |错误|未知|不可用}",
            "{找不到|未找到|没有|沒有|无此|無此|查无此|不存在|未知|无效的|未知的|不存在的|無效的|没有这个|沒有這個|没有该|没有此}{用户|用戶|收件人|收件者|邮箱|郵箱|信箱|账号|帐号|帳號|使用者|人|地址\
             |收信人|账户}",
        ],
        examples: &["550 用户不存在", "550 收件人地址 b@example.cn 不存在", "550 找不到收件人", "550 無此使用者"],
        near_misses: &["550 域名不存在", "550 发件人地址无效"],
    },
];
