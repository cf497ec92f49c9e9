//! A full or an inactive mailbox, in other languages than English.

use super::super::rule::Rule;
use super::SOFT;
use crate::opinion::Fault;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "mailbox-full-words",
        provider: "",
        class: SOFT,
        fault: Fault::Recipient,
        patterns: &[
            "{boite|boite aux lettres|bal|messagerie|compte} ~ {pleine|plein|saturee|sature|remplie}",
            "{quota|espace} ~ {depasse|atteint|insuffisant|sature}*",
            "{depasse|depassement} ~ quota",
            "{postfach|mailbox|briefkasten|konto|mailkonto|account} ~ {voll|uberfullt|ueberfuellt|uberlaufen|ausgelastet}",
            "{speicherplatz|speicher|kontingent|quota|speichergrenze|postfachgrosse|postfachgroße} ~ {uberschritten\
             |ueberschritten|erschopft|voll|ausgeschopft|nicht genug|nicht ausreichend}",
            "{nicht genug|nicht genugend|kein|zu wenig} {speicherplatz|speicher|platz}",
            "{buzon|casilla|bandeja|cuenta|correo} ~ {lleno|llena|saturado|saturada|excedido}",
            "{cuota|espacio|capacidad|almacenamiento} ~ {excedid|superad|agotad|insuficiente|sobrepasad}*",
            "{excedido|excede|superado|sobrepasado} ~ {cuota|espacio|limite|capacidad}",
            "{caixa|conta|caixa de entrada|caixa postal} ~ {cheia|lotada|cheio|sem espaco|excedeu}",
            "{cota|quota|espaco} ~ {excedid|ultrapassad|esgotad|insuficiente}*",
            "{excedeu|ultrapassou} ~ {cota|quota|limite|espaco}",
            "{casella|cassetta|mailbox} ~ {piena|satura|pieno|esaurita}",
            "{quota|spazio} ~ {superata|superato|esaurito|esaurita|insufficiente|disponibile esaurito}",
            "{superato|superata|esaurito} ~ {quota|spazio|limite}",
            "{postvak|postbus|mailbox|brievenbus} ~ {vol|overvol}",
            "{quotum|quota|opslagruimte|schijfruimte} ~ {overschreden|bereikt|vol|onvoldoende}",
            "{skrzynka|skrzynki|skrzynce} ~ {pelna|przepelnion|zapelnion|brak miejsca}*",
            "{przekroczon|przekroczyl|brak}* ~ {limit|pojemnosc|quota|kwota|miejsca}",
            "{ящик|ящика|ящике} ~ {переполнен|полон|заполнен|нет места}",
            "{превыше|исчерпан}* ~ {квот|лимит|размер|объем}*",
            "{квота|лимит|место} ~ {превышен|исчерпан|закончил}*",
            "{brevladan|brevlada|postladan|inkorgen|postkassen|postkasse|postboksen|innboksen|mailboxen|mailbox} ~ \
             {full|fuld|fylt|fyldt}",
            "{postilaatikko|levytila|kiintio} ~ {taynna|ylitetty|ylittynyt}",
            "{schranka|postova schranka|kvota} ~ {plna|prekrocen|zaplnen}*",
            "{posta kutusu|kutusu|kota} ~ {dolu|dolmus|asildi}",
            "{скринька|скриньки} ~ {переповнен|заповнен}*",
            "{메일함|편지함|사서함|용량} ~ {초과|가득|부족}",
            "{メールボックス|受信箱|受信トレイ|ボックス|容量} ~ {いっぱい|一杯|満杯|満タン|容量を超|オーバー|超過|超えて|超え|不足}",
            "{邮箱|信箱|郵箱|邮件箱|收件箱|用户|空间|容量|收件人} ~ {已满|已滿|满了|滿了|空间不足|空間不足|容量已满|配额已满|超出|超限|不足|爆满}",
            "{超过|超過|超出} ~ {配额|配額|容量|限额|空间}",
        ],
        examples: &[
            "550 La boîte aux lettres du destinataire est pleine",
            "550 Das Postfach ist voll",
            "550 El buzón del destinatario está lleno",
            "550 A caixa postal do destinatário está cheia",
            "550 La casella del destinatario è piena",
            "550 Het postvak is vol",
            "550 Skrzynka odbiorcy jest przepełniona",
            "550 Почтовый ящик получателя переполнен",
            "550 メールボックスがいっぱいです",
            "550 收件人邮箱已满",
            "552 Brevlådan är full",
            "552 Schránka je plná",
            "552 메일함 용량이 초과되었습니다",
        ],
        near_misses: &["550 Der Benutzer ist unbekannt", "550 用户不存在"],
    },
    Rule {
        id: "mailbox-inactive-words",
        provider: "",
        class: SOFT,
        fault: Fault::Recipient,
        patterns: &[
            "{compte|boite|adresse|utilisateur|destinataire|messagerie} ~ {desactive|bloque|suspendu|ferme|inactif\
             |inactive|verrouille|cloture}*",
            "{konto|postfach|empfanger|empfaenger|benutzer|adresse|account|mailbox} ~ {deaktiviert|gesperrt|inaktiv\
             |geschlossen|stillgelegt|nicht aktiv|abgeschaltet|suspendiert}",
            "{cuenta|buzon|usuario|destinatario|direccion|casilla} ~ {desactivad|bloquead|suspendid|inactiv|deshabilitad\
             |cerrad|inhabilitad|cancelad|no esta activ}*",
            "{conta|caixa|usuario|destinatario|endereco} ~ {desativad|desactivad|bloquead|suspens|inativ|desabilitad\
             |encerrad|cancelad}*",
            "{account|casella|utente|destinatario|indirizzo|cassetta} ~ {disattivat|disabilitat|bloccat|sospes|inattiv\
             |chius|non attiv}*",
            "{account|postvak|gebruiker|mailbox|adres|ontvanger} ~ {uitgeschakeld|geblokkeerd|opgeschort|inactief\
             |gesloten|gedeactiveerd|opgeheven}",
            "{konto|skrzynka|uzytkownik|adres|odbiorca} ~ {nieaktywn|zablokowan|zawieszon|wylaczon|zamkniet|dezaktywowan\
             |wygas}*",
            "{ящик|пользователь|аккаунт|адрес|получатель|учетная запись} ~ {отключен|заблокирован|неактив|не активен\
             |приостановлен|закрыт|деактивирован}*",
            "{konto|kontot|kontoen|brevladan|postkassen|postboksen} ~ {inaktiv|sparrat|sparrad|avstangt|deaktiveret\
             |deaktivert|stengt\
             |lukket}*",
            "{ucet|schranka|hesap|hesabi} ~ {zablokovan|deaktivovan|pozastaven|devre disi|askiya alin|pasif}*",
            "{скринька|обліковий запис|користувач|адреса} ~ {заблокован|вимкнен|неактивн|призупинен}*",
            "{계정|메일함|사용자|수신자} ~ {휴면|정지|비활성|중지|차단}",
            "{アカウント|メールボックス|ユーザー|ユーザ|受信者|宛先} ~ {無効|停止|利用停止|凍結|一時停止|休止}",
            "{邮箱|用户|账号|帐号|帳號|賬號|账户|帐户|信箱|收件人|郵箱} ~ {被禁用|已停用|停用|被冻结|冻结|凍結|被锁定|锁定|已禁用|已关闭|关闭|未激活|暂停|已注销|禁用}",
        ],
        examples: &[
            "550 Le compte du client est désactivé",
            "550 Das Konto des Empfängers ist gesperrt",
            "550 La cuenta está suspendida",
            "550 A conta foi desativada",
            "550 L'utente è stato disattivato",
            "550 Deze mailbox is geblokkeerd",
            "550 Konto zablokowane",
            "550 Пользователь заблокирован",
            "550 このアカウントは停止されています",
            "550 该账号已停用",
            "550 Účet byl zablokován",
            "550 휴면 계정: 사용자 계정이 정지",
        ],
        near_misses: &["550 Le compte n'existe pas", "550 该账号不存在"],
    },
];
