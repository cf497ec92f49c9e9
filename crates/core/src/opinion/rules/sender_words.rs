//! The veto, of the sender's address, in other languages than English.
//!
//! Its words are those of an unknown user: which of the two is meant is told by the word for the sender alone.

use super::super::rule::Rule;
use super::NONE;
use crate::opinion::Fault;

pub(super) const RULES: &[Rule] = &[Rule {
    id: "sender-address-words",
    provider: "",
    class: NONE,
    fault: Fault::Sender,
    patterns: &[
        // The beginning of a word, since it is declined and compounded: `Absenderdomain`, `avsändarens`, `nadawcy`.
        "{absender|afzender|avsandar|afsender|avsender|lahettaj|odesilatel|odosielatel|gonderen|gonderici|remitent\
             |remetent|mittent\
         |expediteur|emetteur|nadawc|отправител|відправник|expeditor|felado|posiljatelj|posiljalac|saatja|siuntejo\
             |sutitaj|подателят\
         |изпращач}* ~ {abgelehnt|gesperrt|ungultig|unbekannt|verweigert|existier|nicht|blockiert|konnte\
         |invalid|inconnu|refus|rejet|non|bloque|n'exist|introuvable|n'est|n'a pas|no existe|no es|no se|no fue|no esta|no valid\
         |no autoriz|no permit|nao|rechazad|rejeitad|rifiutat|bloquead|bloccat|desconocid|desconhecid|sconosciut|inexistent\
         |inesistent|denegad|negad|geweigerd|onbekend|ongeldig|geblokkeerd|bestaat|niet|odrzucon|nieznan|zablokowan|nie\
             |neexistuje\
         |neznam|neplatn|odmitnut|zamitnut|отклон|заблокирован|не|відхилен|заблокован|невідом|bulunamadi|yok|mevcut \
             degil|gecersiz\
         |reddedildi|engellendi|okand|finns|inte|ogiltig|findes|ikke|ukendt|ukjent|finnes|ugyldig|avvisad|afvist|avvist\
         |tuntematon|ei|nu exista|necunoscut|nem|ismeretlen|ne postoji|не съществува}*",
        "{unbekannter|ungultiger|nieznany|nieprawidlowy|neznamy|neplatny|okand|ogiltig|ukendt|ukjent|ugyldig|tuntematon\
             |virheellinen\
         |неизвестный|невідомий|bilinmeyen|gecersiz|onbekende|ongeldige|inconnu|desconocido|desconhecido|sconosciuto|ismeretlen} \
         {absender|nadawca|odesilatel|avsandare|afsender|avsender|lahettaja|отправитель|відправник|gonderen|gonderici|afzender\
         |remitente|remetente|mittente|felado}",
        "{dominio|direccion|cuenta|casilla|buzon|usuario|correo|endereco|conta|indirizzo|casella|utente|account} \
         {del|de|do|di|da|} {remitente|remetente|mittente|emisor}",
        "{domaine|adresse|compte|boite|utilisateur|mail|email} {de l|d|de|} {expediteur|emetteur|envoi|expedition}",
        "{domain|domane|adresse|mailadresse|e-mail-adresse|konto} {des|vom} {absenders|senders|versenders}",
        "{adres|domein|e-mailadres|account} van {de|} {afzender|verzender}",
        "{adres|adresu|domena|domeny|konto|skrzynka} nadawcy",
        "{adresa|domena|schranka} {odesilatele|odosielatela}",
        "{адрес|адреса|домен|домена|ящик|пользователь|адресу|скринька} {отправителя|отправитель|відправника}",
        "{送信者|差出人|発信者|送信元|送信ドメイン|送信側|発信元|发件人|發件人|寄件者|寄件人|发信人|發信人|发送方|发送者|發送者|发送人|發送人} ~ {拒否|存在|不正|無効|許可|見つかり|登録|不明|被拒|拒绝\
         |拒絕|无效|無效|不允许|不存在|找不到|未找到|未知|错误|錯誤}",
        "{找不到|无效的|未知的|不存在的|無效的|未知|无效|不明な|無効な|存在しない}{送信者|差出人|発信者|送信元|发件人|發件人|寄件者|寄件人|发信人|发送方|发送者}",
        // `Your address`: who is spoken to is the sender.
        "{ihre|ihrer|deine} {adresse|e-mail-adresse|mailadresse|domain|domane|ip}",
        "{votre|vos} {adresse|domaine|serveur|compte|ip}",
        "{su|sua|seu|tu|suo|vostro|tuo} {direccion|dominio|endereco|indirizzo|servidor|server|cuenta|conta|ip}",
        "{uw|je} {adres|e-mailadres|domein|server}",
        "{вашего|ваш|вашому|вашої|ваша|вашей} {адрес|адреса|адреси|домен|домена|домену|сервер|сервера}",
        "{您的|你的|贵}{域名|邮箱|地址|邮件地址|服务器|账号|帐号|域}",
        "{보낸 사람|보낸사람|보내는 사람|보내는사람|발신자|송신자|발신인|발송자|발신} ~ {존재|찾을|알 수|거부|잘못|유효|차단|없}",
    ],
    examples: &[
        "550 Der Absender wurde abgelehnt",
        "550 Absenderdomain existiert nicht",
        "550 L'adresse de l'expéditeur n'existe pas",
        "550 Domínio do remetente inexistente",
        "550 La cuenta del remitente no existe",
        "550 L'indirizzo del mittente non esiste",
        "550 Adres nadawcy nie istnieje",
        "550 Адрес отправителя не существует",
        "550 Домен вашего адреса не существует",
        "550 您的域名不存在",
        "550 Адреса відправника не існує",
        "550 Adresa odesílatele neexistuje",
        "550 Avsändarens adress finns inte",
        "550 Lähettäjän osoitetta ei löydy",
        "550 Gönderen adresi bulunamadı",
        "550 送信者のユーザーが見つかりません",
        "550 发信人地址不存在",
        "550 발신자 주소가 존재하지 않습니다",
    ],
    near_misses: &["550 Adresse inconnue, retour à l'expéditeur", "550 Benutzer unbekannt, zurück an Absender"],
}];
