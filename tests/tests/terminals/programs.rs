//! Real programs on a real terminal behind a real sshd.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{
    Came, Service, find, machine, soon,
    support::{ssh_host, sshd::Sshd},
};

/// Bytes of a long paste.
const PASTE: usize = 10 * 1024 * 1024;
/// Bytes of a paste that are under way at once, as the page has it.
const UNDER_WAY: u64 = 256 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_fills_no_memory_holds_up_nobody_and_is_stopped_by_a_key() {
    let (service, sshd) = (Service::start().await, Sshd::start());
    let host = service.add(ssh_host("web1", &sshd)).await;
    let (flooded, calm) = (service.open(&machine(&host)).await, service.open(&machine(&host)).await);
    let (mut flood, mut calm) = (service.look(&flooded, None).await, service.look(&calm, None).await);
    flood.plain_shell().await;
    calm.plain_shell().await;
    // An end of its own, should no key stop it.
    flood.type_in("timeout 60 yes this is a flood\n").await;
    flood.until("this is a flood\r\nthis is a flood\r\n").await;
    let reading = tokio::spawn(async move {
        let until = Instant::now() + Duration::from_secs(3);
        let mut shown = 0;
        while Instant::now() < until {
            if let Came::Bytes(bytes) = flood.next().await {
                shown += bytes;
            }
            flood.shown.clear();
        }
        (flood, shown)
    });
    let mut slowest = Duration::ZERO;
    for round in 0..5 {
        let begun = Instant::now();
        calm.type_in(format!("echo calm-$((1000+{round}))\n")).await;
        calm.until(&format!("calm-{}", 1000 + round)).await;
        slowest = slowest.max(begun.elapsed());
    }
    assert!(slowest < Duration::from_secs(5), "a flood beside it held it up for {slowest:?}");
    let (mut flood, shown) = reading.await.unwrap();
    assert!(shown > 1024 * 1024, "only {shown} bytes came of the flood");
    let begun = Instant::now();
    flood.type_in("\x03").await;
    flood.until("ready> ").await;
    assert!(begun.elapsed() < Duration::from_secs(10), "the key was felt after {:?}", begun.elapsed());
    // Nobody reads now, and the next flood goes nowhere: what is under way is bounded.
    flood.type_in("timeout 5 yes again | head -c 50000000; echo flood-o''ver\n").await;
    calm.type_in("echo still-ca''lm\n").await;
    calm.until("still-calm").await;
    let read_before = flood.at;
    let view = service.ask(&service.admin, "GET", &format!("/api/v1/terminals/{flooded}"), None).await.1;
    let ahead = view["bytes_out"].as_u64().unwrap() - read_before;
    assert!(ahead < 1024 * 1024, "{ahead} bytes were read that nobody has seen");
    service.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_editor_draws_takes_another_size_and_writes() {
    let (service, sshd) = (Service::start().await, Sshd::start());
    let host = service.add(ssh_host("web1", &sshd)).await;
    let mut screen = service.look(&service.open(&machine(&host)).await, None).await;
    screen.plain_shell().await;
    let file = sshd.file("letter.txt");
    screen.type_in(format!("vi -u NONE -N '{}'\n", file.display())).await;
    // It shows the file's name below, on the other screen.
    screen.until("letter.txt").await;
    screen.order(json!({ "type": "resize", "cols": 132, "rows": 50 })).await;
    screen.type_in("i").await;
    screen.type_in("Grüße, €uro 😀").await;
    // What it reads back in is the size of the terminal that it runs on.
    screen.type_in("\x1b:r !stty size < /dev/tty\r").await;
    screen.until("50 132").await;
    screen.type_in("\x1b:wq\r").await;
    screen.until("ready> ").await;
    screen.type_in("stty size\n").await;
    screen.until("50 132").await;
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "Grüße, €uro 😀\n50 132\n");
    screen.type_in("exit 9\n").await;
    let end = screen.ended().await;
    assert_eq!((&end["status"], &end["failed"], &end["why"]), (&json!(9), &json!(false), &json!("exit status 9")));
    assert!(matches!(screen.next().await, Came::Closed(1000)));
    service.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paste_of_ten_mebibytes_arrives_whole() {
    let (service, sshd) = (Service::start().await, Sshd::start());
    let host = service.add(ssh_host("web1", &sshd)).await;
    let mut screen = service.look(&service.open(&machine(&host)).await, None).await;
    screen.plain_shell().await;
    let file = sshd.file("came");
    // A raw terminal takes every byte as it is, as an editor does.
    let take =
        format!("stty raw -echo; echo rea''dy; head -c {PASTE} > '{}'; stty sane; echo pas''ted\n", file.display());
    screen.type_in(take).await;
    screen.until("ready").await;
    let paste: Vec<u8> = (0..PASTE).map(|at| b' ' + u8::try_from((at * 7 + at / 251) % 95).unwrap()).collect();
    let before = screen.typed;
    for piece in paste.chunks(16 * 1024) {
        screen.type_in(piece).await;
        while screen.typed - screen.taken > UNDER_WAY {
            screen.next().await;
        }
    }
    screen.until("pasted").await;
    assert_eq!(screen.typed - before, PASTE as u64);
    assert!(std::fs::read(&file).unwrap() == paste, "what arrived is not what was pasted");
    service.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_loses_the_line_comes_back_to_what_went_on() {
    let (service, sshd) = (Service::start().await, Sshd::start());
    let host = service.add(ssh_host("web1", &sshd)).await;
    let id = service.open(&machine(&host)).await;
    let mut screen = service.look(&id, None).await;
    screen.plain_shell().await;
    screen.type_in("for n in 1 2 3 4; do sleep 0.5; echo round-$n; done; echo all-ro''unds\n").await;
    screen.until("round-1").await;
    let at = screen.at;
    let kept = screen.shown.clone();
    // The line breaks, without a word.
    drop(screen);
    let mut again = service.look(&id, Some(at)).await;
    let shown = again.until("all-rounds").await;
    let whole = String::from_utf8_lossy(&kept).into_owned() + &shown;
    for round in 2..=4 {
        assert_eq!(whole.matches(&format!("round-{round}")).count(), 1, "{whole:?}");
    }
    assert!(!whole.contains("round-1"), "what was seen came again: {whole:?}");
    // A page that was loaded anew has seen nothing: it is sent all that is kept, and types on.
    let mut anew = service.look(&id, None).await;
    let shown = anew.until("all-rounds").await;
    assert!(shown.contains("round-1"), "{shown:?}");
    anew.type_in("echo bo''th\n").await;
    anew.until("both").await;
    again.until("both").await;
    service.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_side_by_side_take_the_same_keys() {
    let (service, sshd) = (Service::start().await, Sshd::start());
    let host = service.add(ssh_host("web1", &sshd)).await;
    let machine = machine(&host);
    let mut screens = Vec::new();
    for _ in 0..20 {
        screens.push(service.look(&service.open(&machine).await, None).await);
    }
    futures::future::join_all(screens.iter_mut().map(super::Screen::plain_shell)).await;
    let folder = sshd.file("mirrored");
    std::fs::create_dir(&folder).unwrap();
    // A key at a time, as a hand types it.
    let line = format!("cd '{}' && echo grün > $$.txt && echo do''ne\n", folder.display());
    for key in line.chars() {
        for screen in &mut screens {
            screen.type_in(key.to_string()).await;
        }
    }
    let done = screens.iter_mut().map(async |screen| {
        screen.until("done").await;
    });
    soon(futures::future::join_all(done)).await;
    let files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(files.len(), 20);
    assert!(files.iter().all(|file| std::fs::read_to_string(file).unwrap() == "grün\n"));
    service.end().await;
    // The service hangs up what it leaves; sshd ends the shells.
    assert!(find(sshd.log().as_bytes(), b"Disconnected from user").is_some() || !sshd.log().is_empty());
}
