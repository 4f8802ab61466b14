//! Inputs are compared with a plain expansion of every row.

use std::sync::Arc;

use proptest::prelude::{Just, Strategy, any, prop_assert_eq, prop_oneof, proptest};

use crate::inputs::lines::Lines;
use crate::inputs::{Column, Grouping, Inputs, InputsError};

type Cells = Vec<Vec<u8>>;

fn lines(words: &[&str]) -> Column {
    Column::Lines(Arc::new(words.iter().collect()))
}

fn all(inputs: &Inputs) -> Vec<Vec<String>> {
    let text = |value: std::borrow::Cow<'_, [u8]>| String::from_utf8_lossy(&value).into_owned();
    (0..inputs.rows()).map(|n| inputs.row(n).values().map(text).collect()).collect()
}

#[test]
fn the_last_source_varies_fastest() {
    let groups = vec![vec![lines(&["a", "b"])], vec![lines(&["x", "y", "z"])]];
    let inputs = Inputs::new(groups, Grouping::Single).expect("the sources are good");
    let joined: Vec<String> = all(&inputs).iter().map(|row| row.concat()).collect();
    assert_eq!(joined, ["ax", "ay", "az", "bx", "by", "bz"]);
}

#[test]
fn linked_columns_stop_at_the_shortest() {
    let groups = vec![vec![lines(&["a", "b", "c"]), lines(&["1", "2"])]];
    let inputs = Inputs::new(groups, Grouping::Single).expect("the sources are good");
    assert_eq!(all(&inputs), [["a", "1"], ["b", "2"]]);
}

#[test]
fn the_last_row_of_a_grouping_may_be_shorter() {
    let groups = vec![vec![Column::Numbers { first: 1, step: 1, count: 5 }]];
    let inputs = Inputs::new(groups, Grouping::Every(2)).expect("the sources are good");
    assert_eq!(all(&inputs), [vec!["1", "2"], vec!["3", "4"], vec!["5"]]);
    assert_eq!(inputs.row(0).number(), None, "a row of two has no number");
    assert!(inputs.row(3).is_empty());
}

#[test]
fn a_long_array_is_a_range() {
    let inputs = Inputs::numbers(10, -5, Inputs::ROWS_MAX).expect("it is within the limit");
    assert_eq!(inputs.rows(), Inputs::ROWS_MAX);
    assert_eq!(inputs.row(3).number(), Some(-5));
    assert_eq!(inputs.row(u64::MAX).number(), None);
    assert_eq!(size_of::<Inputs>(), size_of::<usize>());
}

#[test]
fn what_cannot_be_rows_is_refused() {
    assert_eq!(Inputs::numbers(0, 1, 0).err(), Some(InputsError::Empty));
    assert_eq!(Inputs::lines(Lines::default()).err(), Some(InputsError::Empty));
    assert_eq!(Inputs::new(vec![], Grouping::Single).err(), Some(InputsError::Empty));
    assert_eq!(
        Inputs::numbers(i64::MAX, 1, 2).err(),
        Some(InputsError::Overflow { first: i64::MAX, step: 1 })
    );
    let long = || vec![Column::Numbers { first: 0, step: 1, count: u64::MAX / 2 }];
    let product = Inputs::new(vec![long(), long(), long()], Grouping::Single);
    assert!(matches!(product, Err(InputsError::TooMany { .. })), "{product:?}");
    for bad in [vec![], vec![0, 2], vec![1], vec![1, 1, 2], vec![1, 3]] {
        let grouping = Grouping::Ends(bad.clone().into());
        let made = Inputs::new(vec![vec![lines(&["a", "b"])]], grouping);
        assert_eq!(made.err(), Some(InputsError::Grouping), "{bad:?}");
    }
}

fn column() -> impl Strategy<Value = (Column, Cells)> {
    let numbers = (-20i64..20, -5i64..5, 1u64..6).prop_map(|(first, step, count)| {
        let value = |n: u64| (first + step * n as i64).to_string().into_bytes();
        (Column::Numbers { first, step, count }, (0..count).map(value).collect())
    });
    let words = proptest::collection::vec(any::<Vec<u8>>(), 1..5);
    let words = words.prop_map(|words| (Column::Lines(Arc::new(words.iter().collect())), words));
    prop_oneof![numbers, words]
}

fn expand(groups: &[Vec<Cells>]) -> Vec<Cells> {
    let mut records = vec![vec![]];
    for group in groups {
        let len = group.iter().map(Vec::len).min().unwrap_or(0);
        let mut longer = Vec::new();
        for record in &records {
            for n in 0..len {
                let mut record: Cells = record.clone();
                record.extend(group.iter().map(|cells| cells[n].clone()));
                longer.push(record);
            }
        }
        records = longer;
    }
    records
}

proptest! {
    #[test]
    fn rows_are_those_of_a_plain_expansion(
        groups in proptest::collection::vec(proptest::collection::vec(column(), 1..3), 1..4),
        size in prop_oneof![Just(None), (1u32..5).prop_map(Some)],
    ) {
        let cells = |group: &Vec<(Column, Cells)>| -> Vec<Cells> {
            group.iter().map(|(_, cells)| cells.clone()).collect()
        };
        let columns = |group: &Vec<(Column, Cells)>| -> Vec<Column> {
            group.iter().map(|(column, _)| column.clone()).collect()
        };
        let records = expand(&groups.iter().map(cells).collect::<Vec<_>>());
        let grouping = size.map_or(Grouping::Single, Grouping::Every);
        let inputs = Inputs::new(groups.iter().map(columns).collect(), grouping);
        let inputs = inputs.expect("the sources are good");
        let rows: Vec<&[Cells]> = records.chunks(size.unwrap_or(1) as usize).collect();
        prop_assert_eq!(inputs.rows(), rows.len() as u64);
        for (n, row) in rows.iter().enumerate() {
            let got: Cells = inputs.row(n as u64).values().map(|cell| cell.into_owned()).collect();
            prop_assert_eq!(got, row.concat());
            for column in 0..inputs.columns() {
                let got = inputs.row(n as u64).cells(column).map(|cell| cell.into_owned());
                let want: Cells = row.iter().map(|record| record[column].clone()).collect();
                prop_assert_eq!(got.collect::<Cells>(), want);
            }
        }
    }
}
