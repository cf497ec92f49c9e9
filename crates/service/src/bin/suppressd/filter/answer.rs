//! Who must not be mailed, by what a server answers about a message. An answer that does not say it of each address is an error.

use anyhow::{Context as _, ensure};
use suppressd_service::proto::{StreamIsSuppressedResponse, SuppressedAddress, SuppressedOnly, SuppressionResult};

/// Who of so many addresses must not be mailed, by their places and in their order.
pub(super) fn suppressed(answer: StreamIsSuppressedResponse, asked: usize) -> anyhow::Result<Vec<(usize, SuppressionResult)>> {
    let StreamIsSuppressedResponse { results, suppressed_only } = answer;
    match suppressed_only {
        Some(only) => {
            ensure!(results.is_empty(), "the server answered in two ways at once");
            named(only, asked)
        }
        // A server that does not know that question answers in full.
        None => told_one_by_one(results, asked),
    }
}

fn named(SuppressedOnly { judged, suppressed }: SuppressedOnly, asked: usize) -> anyhow::Result<Vec<(usize, SuppressionResult)>> {
    ensure!(usize::try_from(judged) == Ok(asked), "the server answered for {judged} of {asked} addresses");
    let mut named: Vec<(usize, SuppressionResult)> = Vec::with_capacity(suppressed.len());
    for SuppressedAddress { place, result } in suppressed {
        let place = usize::try_from(place)?;
        ensure!(place < asked, "the server named an address that was not asked for");
        ensure!(named.last().is_none_or(|(last, _)| *last < place), "the server named addresses out of their order");
        let result = result.context("the server's answer lacks a result")?;
        ensure!(result.suppressed == Some(true), "the server named an address that is not suppressed");
        named.push((place, result));
    }
    Ok(named)
}

fn told_one_by_one(results: Vec<SuppressionResult>, asked: usize) -> anyhow::Result<Vec<(usize, SuppressionResult)>> {
    ensure!(results.len() == asked, "the server answered for {} of {asked} addresses", results.len());
    ensure!(results.iter().all(|result| result.suppressed.is_some()), "the server's answer lacks `suppressed`");
    // Kept is only what the server has said that of.
    Ok(results.into_iter().enumerate().filter(|(_, result)| result.suppressed != Some(false)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(suppressed: Option<bool>) -> SuppressionResult {
        SuppressionResult { suppressed, ..SuppressionResult::default() }
    }

    fn full(results: &[Option<bool>]) -> StreamIsSuppressedResponse {
        let results = results.iter().map(|suppressed| result(*suppressed)).collect();
        StreamIsSuppressedResponse { results, suppressed_only: None }
    }

    fn only(judged: u32, suppressed: &[(u32, Option<bool>)]) -> StreamIsSuppressedResponse {
        let address =
            |(place, suppressed): &(u32, Option<bool>)| SuppressedAddress { place: *place, result: Some(result(*suppressed)) };
        let only = SuppressedOnly { judged, suppressed: suppressed.iter().map(address).collect() };
        StreamIsSuppressedResponse { results: Vec::new(), suppressed_only: Some(only) }
    }

    fn places(answer: StreamIsSuppressedResponse) -> Option<Vec<usize>> {
        suppressed(answer, 3).ok().map(|suppressed| suppressed.into_iter().map(|(place, _)| place).collect())
    }

    #[test]
    fn both_ways_of_answering_name_the_same() {
        assert_eq!(places(full(&[Some(true), Some(false), Some(true)])), Some(vec![0, 2]));
        assert_eq!(places(only(3, &[(0, Some(true)), (2, Some(true))])), Some(vec![0, 2]));
        assert_eq!((places(full(&[Some(false); 3])), places(only(3, &[]))), (Some(vec![]), Some(vec![])));
    }

    #[test]
    fn an_answer_that_leaves_anybody_out_is_an_error() {
        let both = StreamIsSuppressedResponse { results: vec![result(Some(false)); 3], ..only(3, &[]) };
        let nothing = SuppressedAddress { place: 0, result: None };
        let without_result = SuppressedOnly { judged: 3, suppressed: vec![nothing] };
        for answer in [
            full(&[]),
            full(&[Some(false); 2]),
            full(&[Some(false); 4]),
            full(&[Some(false), None, Some(false)]),
            only(0, &[]),
            only(2, &[]),
            only(4, &[]),
            only(3, &[(3, Some(true))]),
            only(3, &[(1, Some(true)), (1, Some(true))]),
            only(3, &[(2, Some(true)), (0, Some(true))]),
            only(3, &[(0, Some(false))]),
            only(3, &[(0, None)]),
            both,
            StreamIsSuppressedResponse { results: Vec::new(), suppressed_only: Some(without_result) },
        ] {
            assert_eq!(places(answer.clone()), None, "{answer:?}");
        }
    }
}
