//! The letters that have left.

use super::*;

#[test]
fn an_issue_is_public_once_a_letter_has_left() {
    let address = free_address();
    let nobody = free_address();
    let mut house = House::new(&format!("smtp://{nobody}"), &format!("[web]\nlisten = \"{address}\"\n"));
    house.set("VERDICTS__SITE__BASE_URL", &format!("http://{address}"));
    house.furnish(2);
    house.run(&["send"]);
    assert_eq!(house.status()["queued"].as_i64().unwrap() + house.status()["deferred"].as_i64().unwrap(), 2);
    let serving = house.start_logged(&["serve"], "serve.log");
    let site = Site { house, address, serving };
    let limit = Instant::now() + Duration::from_secs(30);
    while std::net::TcpStream::connect(address).is_err() {
        assert!(Instant::now() < limit);
        std::thread::sleep(Duration::from_millis(20));
    }
    let hidden = |site: &Site| {
        assert_eq!(site.get("/issues/1").status, 404);
        for path in ["/issues", "/feed.xml", "/sitemap.xml", "/compare/lead"] {
            assert!(!site.get(path).text().contains("/issues/1"), "{path}");
        }
    };
    hidden(&site);
    site.house.must(&["issue", "cancel", "1"]);
    hidden(&site);
    assert_eq!(site.get("/compare/lead").status, 200, "the comparison has been published all the same");
}

#[test]
fn the_letter_in_the_archive_leads_on_and_names_nobody() {
    let site = Site::open(2, "");
    let answer = site.get("/issues/1");
    let page = answer.text();
    assert!(page.contains("Stackforge") && page.contains("<header class=\"site-bar\""));
    assert!(page.contains(&format!("<link rel=\"canonical\" href=\"{}\">", url(&site, "/issues/1"))));
    assert_eq!(json_ld(&page)["url"], url(&site, "/issues/1"));
    assert_eq!(meta(&page, "og:type"), Some("article"));
    for absent in ["/unsubscribe/", "/preferences/", "/vote/", "reader0", "reader1", "Hello"] {
        assert!(!page.contains(absent), "{absent}");
    }
    assert!(answer.must("content-security-policy").contains("default-src 'none'"));
    let archive = site.get("/issues").text();
    assert!(archive.contains("href=\"/compare/lead\"") && archive.contains("<time"), "{archive}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_archive_has_pages() {
    use sqlx::Connection as _;
    let site = tokio::task::spawn_blocking(|| Site::open(1, "")).await.unwrap();
    sqlx::any::install_default_drivers();
    let url = format!("sqlite:{}", site.house.path("verdicts.db").display());
    let mut connection = sqlx::AnyConnection::connect(&url).await.unwrap();
    let rows = "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 45)
        INSERT INTO issue (number, state, cutoff_at, subject, preheader, stencil, created_at, finished_at)
        SELECT i, 'finished', 0, 'Subject ' || i, '', '', 1700000000000 + i, 1700000000000 + i FROM n";
    sqlx::raw_sql(rows).execute(&mut connection).await.unwrap();
    tokio::task::spawn_blocking(move || {
        let numbers = |page: &str| -> Vec<i64> {
            let links = page.split("class=\"archive__subject\" href=\"/issues/").skip(1);
            links.map(|link| link.split('"').next().unwrap().parse().unwrap()).collect()
        };
        let first = until(&site, "/issues", |a| a.text().contains("/issues/45")).text();
        assert_eq!(numbers(&first), (26..=45).rev().collect::<Vec<_>>());
        assert!(first.contains("href=\"/issues?page=2\"") && !first.contains("rel=\"prev\""));
        let second = site.get("/issues?page=2").text();
        assert_eq!(numbers(&second), (6..=25).rev().collect::<Vec<_>>());
        assert!(
            second.contains("rel=\"prev\" href=\"/issues\"")
                && second.contains("rel=\"next\" href=\"/issues?page=3\"")
        );
        let last = site.get("/issues?page=3").text();
        assert_eq!(numbers(&last), [5, 4, 3, 2, 1]);
        assert!(!last.contains("rel=\"next\""));
        for junk in ["4", "0", "-1", "x", "", "99999999999999999999"] {
            assert_eq!(site.get(&format!("/issues?page={junk}")).status, 404, "{junk}");
        }
    })
    .await
    .unwrap();
}
