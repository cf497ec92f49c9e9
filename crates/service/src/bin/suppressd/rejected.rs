//! `suppressd rejected`: the letters that the webhook refused, through a running server.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use serde_json::json;
use suppressd_service::proto::suppression_admin_service_client::SuppressionAdminServiceClient;
use suppressd_service::proto::{
    GetRejectedLetterRequest, ListRejectedLettersRequest, RejectedLetter, ReplayRejectedLetterRequest,
};

use crate::cli::{RejectedAction, RejectedArguments};
use crate::failure::{EXIT_SOME, Failure};
use crate::grpc_client::{AuthorizedChannel, block_on, connect, refusal, time};

/// Letters that are asked for at a time.
const LETTERS_PER_PAGE: u32 = 500;

/// Most pages that are asked for: more letters than any limit lets a store keep.
const MAX_PAGES: u32 = 100_000;

/// Longest letter that is shown, in bytes.
const MAX_LETTER_BYTES: usize = 1 << 30;

type Client = SuppressionAdminServiceClient<AuthorizedChannel>;

pub(crate) fn run(arguments: RejectedArguments) -> Result<ExitCode, Failure> {
    let RejectedArguments { action, server } = arguments;
    let all_done = block_on(async {
        let channel = connect(&server, &["SUPPRESSD_ADMIN_TOKEN"]).await?;
        let mut client = Client::new(channel).max_decoding_message_size(MAX_LETTER_BYTES);
        match action {
            RejectedAction::List { json } => list(&mut client, json).await.map(|()| true),
            RejectedAction::Show { id } => show(&mut client, id).await.map(|()| true),
            RejectedAction::Replay { ids, body } => replay(&mut client, ids, body.as_deref()).await,
        }
    })?;
    Ok(if all_done { ExitCode::SUCCESS } else { ExitCode::from(EXIT_SOME) })
}

async fn list(client: &mut Client, as_json: bool) -> anyhow::Result<()> {
    let mut page_token = String::new();
    let mut out = std::io::stdout().lock();
    for _ in 0..MAX_PAGES {
        let request = ListRejectedLettersRequest { page_size: LETTERS_PER_PAGE, page_token };
        let page = client.list_rejected_letters(request).await.map_err(|status| refusal(&status))?.into_inner();
        for letter in &page.letters {
            if as_json { writeln!(out, "{}", in_json(letter))? } else { writeln!(out, "{}", in_text(letter))? }
        }
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(());
        }
    }
    bail!("the server lists letters without an end")
}

async fn show(client: &mut Client, id: String) -> anyhow::Result<()> {
    let answer = client.get_rejected_letter(GetRejectedLetterRequest { id }).await.map_err(|status| refusal(&status))?;
    let answer = answer.into_inner();
    if let Some(letter) = &answer.letter {
        eprintln!("{}", in_text(letter));
    }
    let mut out = std::io::stdout().lock();
    out.write_all(&answer.content)?;
    out.flush()?;
    Ok(())
}

/// Replays letters one by one. Says whether nothing of any of them was rejected again.
async fn replay(client: &mut Client, ids: Vec<String>, body: Option<&Path>) -> anyhow::Result<bool> {
    if body.is_some() && ids.len() != 1 {
        bail!("--body is the content of one letter; give one ID");
    }
    let mended_content =
        body.map(|path| std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))).transpose()?;
    let mut all_done = true;
    let mut out = std::io::stdout().lock();
    for id in ids {
        let request = ReplayRejectedLetterRequest { id: id.clone(), mended_content: mended_content.clone() };
        let answer = client.replay_rejected_letter(request).await.map_err(|status| refusal(&status).context(id.clone()))?;
        let answer = answer.into_inner();
        let counts = format!(
            "{} recorded, {} duplicate, {} ignored, {} rejected",
            answer.recorded, answer.duplicate, answer.ignored, answer.rejected
        );
        if answer.rejected == 0 {
            writeln!(out, "{id}\treplayed\t{counts}")?;
        } else {
            all_done = false;
            writeln!(out, "{id}\tstill rejected\t{counts}: {}", answer.reason)?;
        }
    }
    Ok(all_done)
}

fn in_text(letter: &RejectedLetter) -> String {
    format!("{}\t{}\t{} bytes\t{}", letter.id, time(letter.received_at.as_ref()), letter.content_bytes, letter.reason)
}

fn in_json(letter: &RejectedLetter) -> serde_json::Value {
    json!({
        "id": letter.id,
        "received_at": time(letter.received_at.as_ref()),
        "content_bytes": letter.content_bytes,
        "reason": letter.reason,
    })
}
