//! How long it takes to read and judge a document of thirty pages, and one page of it.

#[path = "../tests/long/mod.rs"]
mod long;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use matgrad::document::{Format, read};
use matgrad::verify::verify;

fn documents(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("verify");
    group.sample_size(10);
    for pages in [3, 30] {
        let source = long::document(pages);
        group.bench_function(format!("{pages} pages"), |bench| {
            bench.iter(|| verify(&read(black_box(&source), Format::Markdown)));
        });
    }
    group.finish();
}

criterion_group!(benches, documents);
criterion_main!(benches);
