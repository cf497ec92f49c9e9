//! There is no such mailbox, in other languages than English: one rule a language; here those of the west and the south of
//! Europe, and what else is written in Latin letters.

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
             |non trouvee|pas trouve|pas ete trouve|pas ete trouvee|pas valide|plus valide|supprime|supprimee|est \
             incorrecte|erronee}",
            "adresse de messagerie .. introuvable",
            "{aucun|aucune|pas d|pas de} {utilisateur|destinataire|compte|boite|adresse|boite aux lettres|abonne}",
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
            "{benutzer|adressat|empfanger|empfaenger|empfangeradresse|empfaengeradresse|adresse|postfach|konto|nutzer\
             |teilnehmer|mailadresse|e-mail-adresse|emailadresse|e-mail-empfanger|e-mail-konto|empfangername|mailbox\
             |anwender|account|kunde} ~ {unbekannt|existiert nicht|nicht bekannt|nicht vorhanden|nicht gefunden|ungultig\
             |ungueltig|gibt es nicht|nicht existent|nicht mehr vorhanden|existiert hier nicht|nicht existiert|existiert \
             leider nicht|existiert nicht mehr|existieren nicht|nicht erkannt|konnte nicht gefunden|konnte nicht \
             ermittelt|kann nicht gefunden|wurde geloscht|geloscht|geloescht}",
            "{unbekannter|ungultiger|keinen|keinen solchen|kein solcher|keine solche|kein gultiger|ungueltiger|unbekannte\
             |ungultige|kein|nicht existierender} {benutzer|empfanger|empfaenger|adresse|mailadresse|e-mail-adresse\
             |emailadresse|konto|nutzer|postfach|mailbox|empfangeradresse|teilnehmer}",
        ],
        examples: &[
            "550 Empfänger unbekannt",
            "550 Unbekannter Benutzer",
            "550 Die E-Mail-Adresse <b@example.de> existiert nicht",
        ],
        near_misses: &["550 Absenderdomain existiert nicht", "550 Die Mail an diese Adresse konnte nicht zugestellt werden"],
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
             |nao reconhecid|no ha sido encontrad|no pudo ser encontrad|no pertenece}*",
            "{e-mail|email} {inexistente|desconocido|desconhecido|no existe|nao existe|no encontrado|nao encontrado}",
            "{usuario|cuenta|conta|casilla|buzon} {eliminad|excluid|ha sido eliminad|fue eliminad|foi excluid|foi eliminad}*",
            "{no existe|nao existe|inexistente|no se encontro|no se encuentra|nao ha|no hay} {el|la|dicha|dicho|ese|esa\
             |este|esta|o|a|esse|essa|ningun|nenhum|} {persona|usuario|destinatario|cuenta|buzon|direccion|conta|endereco\
             |caixa}",
        ],
        examples: &[
            "550 Usuario desconocido",
            "550 El destinatario no existe",
            "550 Usuário não encontrado",
            "550 Caixa postal inexistente",
            "550 No existe el usuario",
            "550 A conta não existe",
        ],
        near_misses: &["550 El remitente no existe", "550 Email invalid: attachment"],
    },
    Rule {
        id: "unknown-user-it",
        provider: "",
        class: HARD,
        fault: Fault::Recipient,
        patterns: &[
            "{utente|destinatario|casella|indirizzo|account|cassetta|casella di posta|mailbox} ~ {sconosciut|inesistente\
             |non esiste|non trovat|non valid|non e valid|non presente|non riconosciut|non e presente|errat|non e stato \
             trovat|non e stata trovat|non risulta|non piu valid|eliminat|cancellat|rimoss}*",
            "{nessun|nessuna|impossibile trovare|non esiste il|non esiste la|non esiste l|non esiste alcun} {utente\
             |destinatario|casella|indirizzo|l indirizzo|account|il destinatario}",
        ],
        examples: &["550 Utente sconosciuto", "550 La casella di posta non esiste"],
        near_misses: &["550 Mittente sconosciuto", "550 La casella non è stata attivata"],
    },
    Rule {
        id: "unknown-user-nl",
        provider: "",
        class: HARD,
        fault: Fault::Recipient,
        patterns: &[
            "{gebruiker|ontvanger|adres|postvak|mailbox|e-mailadres|account|postbus|emailadres|geadresseerde} ~ {onbekend\
             |bestaat niet|niet gevonden|ongeldig|niet bekend|bestaat niet meer|bestaat hier niet|kan niet worden \
             gevonden|kon niet worden gevonden|niet worden gevonden|niet bestaand|verwijderd|is opgeheven}",
            "{onbekende|onbekend|ongeldige|ongeldig|geen} {gebruiker|ontvanger|geadresseerde|postvak|account|mailbox\
             |adres|e-mailadres|emailadres}",
        ],
        examples: &["550 Onbekende gebruiker", "550 De mailbox b@example.nl bestaat niet"],
        near_misses: &["550 Afzender onbekend"],
    },
    Rule {
        id: "unknown-user-tr",
        provider: "",
        class: HARD,
        fault: Fault::Recipient,
        patterns: &[
            "{kullanici|kullanicisi|alici|alicisi|adres|adresi|hesap|hesabi|posta kutusu|posta adresi} ~ {bulunamadi\
             |bulunamiyor|bulunmuyor|bulunmamakta|yok|mevcut degil|gecersiz|gecerli degil|tanimli degil|bilinmiyor\
             |taninmiyor|kayitli degil|silinmis|silindi}*",
            "{bilinmeyen|gecersiz|boyle bir|olmayan|tanimsiz} {kullanici|alici|adres|hesap|posta kutusu|e-posta}",
        ],
        examples: &["550 Kullanıcı bulunamadı", "550 Geçersiz alıcı", "550 b@example.com adresi mevcut değil"],
        near_misses: &["550 Gönderen adresi bulunamadı", "550 Kullanıcının posta kutusu dolu"],
    },
    Rule {
        id: "unknown-user-hu-ro",
        provider: "",
        class: HARD,
        fault: Fault::Recipient,
        patterns: &[
            "{felhasznalo|cimzett|postafiok|cim|e-mail cim|fiok} ~ {nem letezik|ismeretlen|nem talalhato|ervenytelen}",
            "{ismeretlen|nem letezo|ervenytelen} {felhasznalo|cimzett|postafiok|cim}",
            "{nincs ilyen} {felhasznalo|cimzett|postafiok|cim}",
            "{utilizatorul|utilizator|destinatarul|destinatar|adresa|contul|casuta postala} ~ {nu exista|necunoscut\
             |inexistent|nu a fost gasit|invalid|nu este valid}*",
        ],
        examples: &["550 Ismeretlen felhasználó", "550 A címzett nem létezik", "550 Utilizatorul nu există"],
        near_misses: &["550 A feladó címe nem létezik", "550 Adresa expeditorului nu există"],
    },
];
