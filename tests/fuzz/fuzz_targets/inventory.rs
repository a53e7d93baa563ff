//! Answers to the inventory script: the frame, and every collector's reading of it.
//!
//! The input is either a whole answer, or, where it holds no frame, the answer to every question at once.
#![no_main]

use libfuzzer_sys::fuzz_target;
use reanimator_core::{
    collect::linux::inventory::{
        Answer, Answers, ask::answers, containers, disks, hardware, listeners, network, sensors, system, updates,
    },
    model::facts::{Dated, Watched},
};

fn read(answers: &Answers) {
    let now = jiff::Timestamp::UNIX_EPOCH;
    hardware::parse(answers).facts.watched();
    sensors::parse(answers).facts.watched();
    disks::parse(answers).facts.watched();
    network::parse(answers).facts.watched();
    let containers = containers::parse(answers).facts;
    containers.watched();
    listeners::parse(answers).facts.with_containers(&containers).watched();
    let mut read = system::parse(answers);
    system::slow_questions(Some(&read.facts));
    let last = read.clone().at(now);
    system::carry_over(answers, &mut read, &last);
    read.facts.watched();
    let mut read = updates::parse(answers);
    updates::carry_over(answers, &mut read, None, now);
    updates::questions_after(Some(&read.facts), now);
    read.facts.watched();
    // What is kept must come back as it was.
    let kept = serde_json::to_string(&read.at(now)).expect("facts are JSON");
    let _: Dated<reanimator_core::model::facts::updates::Updates> = serde_json::from_str(&kept).expect("and back");
}

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    if text.contains("@ask ") {
        read(&answers(&text));
        return;
    }
    let mut questions = system::slow_questions(None);
    for more in [hardware::questions, sensors::questions, disks::questions, network::questions] {
        questions.extend(more());
    }
    for more in [system::questions, updates::questions, containers::questions, listeners::questions] {
        questions.extend(more());
    }
    let answer = Answer { text: text.into_owned(), status: Some(0), ..Answer::default() };
    read(&questions.iter().fold(Answers::default(), |all, question| all.with(question.name, answer.clone())));
});
