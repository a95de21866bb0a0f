// A coordinator's Monday, told step by step; every step says what it promises.
import { readFileSync } from "node:fs";
import { firstHour } from "./hour.mjs";
import { chromium, expect, fault, faults, same, Window } from "./window.mjs";

const [desk, phone, office] = process.argv.slice(2).map((port) => `http://127.0.0.1:${port}`);
const PLAN = "dongguan-2022";
const here = `plan=${PLAN}&quarter=2022Q1`;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
});
try {
  await Promise.all([[1440, desk], [390, phone]].map(async ([width, base]) => {
    await walk(base, width);
    await administrator(office, width);
  }));
  await firstHour(browser, 1440);
} finally {
  await browser.close();
}
if (faults.length > 0) {
  console.error(`tests/walk: ${faults.length} faults\n${faults.join("\n")}`);
  process.exit(1);
}
console.log("tests/walk: all well");

async function walk(base, width) {
  const window = await Window.open(browser, base, width);
  // A step that breaks off is a fault; the ones after it are still taken.
  const step = async (name, does) => {
    const began = Date.now();
    try {
      await does();
    } catch (error) {
      fault(`${width} ${name}`, `${String(error).split("\n", 3).join(" ")} at ${window.page.url()}`);
    }
    console.log(`${width} ${name} (${Date.now() - began} ms)`);
  };
  let links = [];
  await step("the notice goes out", async () => {
    await advance(window, "2022-03-17T09:10");
    links = await owners(window, 16);
  });
  await step("a return", () => aReturn(window, links[0]));
  await step("an extension", () => anExtension(window, links[1]));
  await step("some report", () => reports(base, links.slice(2, 12)));
  await step("a bulk 催办", async () => {
    await advance(window, "2022-03-28T09:30");
    await bulk(window);
  });
  await step("Monday morning", async () => {
    await advance(window, "2022-04-11T09:30");
    await reports(base, links.slice(12, 14));
    await monday(window);
  });
  await step("live", () => live(window, base, links[14]));
  await step("as of", () => asOf(window));
  await step("exports", () => exports(window));
  await step("pages", async () => {
    await askLater(window, links[15]);
    await pages(window, links[15]);
  });
  await window.page.context().close();
}

// ---- the demo's clock and post ----

async function advance(window, to) {
  await window.goto("/inbox");
  await window.page.fill("input[type=datetime-local][name=to]", to);
  await window.follow(window.page.getByRole("button", { name: "拨到此时" }));
  const [, month, day] = to.slice(0, 10).split("-").map(Number);
  expect((await window.text(".banner")).includes(`${month}月${day}日`), `${window.width} clock`, "it does not stand where it was put");
}

async function inboxCount(window) {
  await window.goto("/inbox");
  return window.number(".list h2 .count");
}

// The links of people who answer for two items or more, each of another task, and none in common.
async function owners(window, wanted) {
  await window.goto("/inbox");
  const mails = await window.page.locator(".rows.inbox .name a").evaluateAll((all) => all.map((one) => one.href));
  const found = [];
  const taken = new Set();
  for (const mail of mails) {
    if (found.length === wanted) break;
    await window.goto(mail);
    const link = await window.page.getByRole("link", { name: "打开报送页" }).getAttribute("href");
    const sheet = await reply(new URL(mail).origin, link);
    const tasks = sheet.items.map((item) => item.task);
    if (tasks.length < 2 || new Set(tasks).size < tasks.length || tasks.some((task) => taken.has(task))) continue;
    tasks.forEach((task) => taken.add(task));
    found.push({ link, tasks, who: sheet.person.name, mail });
  }
  same(found.length, wanted, `${window.width} owners with items of their own`);
  return found;
}

function address(base, link) {
  return `${base}/api/v1/reply/${new URL(link, base).pathname.slice("/r/".length)}`;
}

async function reply(base, link) {
  return (await fetch(address(base, link))).json();
}

// By the interface for other systems: another visitor altogether.
async function tell(base, link, task, status) {
  const said = { task, status, progress: "已按计划完成本季度工作。", problems: "用地手续未办结。", next_steps: "五月底前办结。" };
  const answer = await fetch(address(base, link), {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ reports: [said] }),
  });
  same(answer.status, 200, `report on task ${task}`);
}

async function reports(base, people) {
  const statuses = ["completed", "on_schedule", "behind", "not_started"];
  for (const [index, { link, tasks }] of people.entries()) await tell(base, link, tasks[0], statuses[index % 4]);
}

// ---- 2: a return ----

async function aReturn(window, { link, mail, tasks, who }) {
  const where = `${window.width} return`;
  const task = tasks[0];
  const page = window.page;
  await window.goto(mail);
  await window.follow(page.getByRole("link", { name: "打开报送页" }));
  const card = page.locator("article.card", { has: page.locator("h3 .no", { hasText: new RegExp(`^第${task}项$`) }) });
  await card.getByRole("radio", { name: "正常推进" }).check();
  await card.getByLabel("完成情况").fill("正在推进。");
  await window.follow(page.getByRole("button", { name: "提交报送" }));
  expect((await window.text("h1")).includes("报送回执"), where, "no receipt");
  await window.look("receipt");

  await window.goto("/review");
  const row = page.locator("article.judged", { has: page.locator("h2 .no", { hasText: new RegExp(`^第${task}项$`) }) });
  same(await row.count(), 1, `${where}: rows of it in /review`);
  await window.follow(row.getByRole("link", { name: "退回或查看全部" }));
  const itemAt = page.url();
  const form = page.locator("form[action='/review']", { has: page.getByRole("button", { name: "退回" }) });
  await form.locator("textarea[name=reason]").fill("请补充完成的数量和下一步措施。");
  await window.follow(form.getByRole("button", { name: "退回" }));
  await window.goto(itemAt);
  same(await window.text("h1 .state"), "退回", `${where}: state of the item`);
  expect((await page.locator("main").innerText()).includes("请补充完成的数量"), where, "the item's page does not give the reason");

  await window.goto(`/items?${here}&state=returned`);
  same(await numbers(window), [task], `${where}: the list of what was returned`);
  await window.goto(link);
  const again = await card.innerText();
  expect(again.includes("已退回，请补充后重新报送") && again.includes("请补充完成的数量"), where, "the owner is not told");
  expect(await card.getByRole("radio").first().isVisible(), where, "the owner cannot report again");
  await window.look("owner");
}

// The task numbers that a page of a list shows.
function numbers(window) {
  return window.page.locator(".rows.items tbody td.no").evaluateAll((all) => all.map((one) => Number(one.textContent)));
}

// ---- 3: an extension ----

async function askLater(window, { link, tasks }, day = "2022-04-20") {
  const page = window.page;
  await window.goto(link);
  const card = page.locator("article.card", { has: page.locator("h3 .no", { hasText: new RegExp(`^第${tasks[0]}项$`) }) });
  await window.follow(card.getByRole("button", { name: "申请延期" }));
  await page.fill("input[name=day]", day);
  await page.fill("textarea[name=reason]", "评审会推迟到下月中旬。");
  await window.follow(page.getByRole("button", { name: "提交申请" }));
  expect((await page.locator("main").innerText()).includes("正在审批"), `${window.width} extension`, "asked for, and the owner is not told");
}

async function anExtension(window, owner) {
  const where = `${window.width} extension`;
  const page = window.page;
  await askLater(window, owner, "2022-04-15");
  await window.look("extension");
  await window.goto("/requests");
  const ask = page.locator("#dates article.ask", { has: page.locator("h3 .no", { hasText: new RegExp(`^第${owner.tasks[0]}项$`) }) });
  same(await ask.count(), 1, `${where}: asked for in /requests`);
  const item = await ask.locator("h3 a").getAttribute("href");
  await window.follow(ask.getByRole("button", { name: "同意", exact: true }));
  same(await page.locator("#dates article.ask").count(), 0, `${where}: still asked for`);
  await window.goto(item);
  const due = await page.locator("dt:text-is('报送截止') + dd").innerText();
  expect(due.includes("延至") && due.includes("4月15日"), where, `the date is “${due}”`);
  expect(due.includes("3月31日"), where, `the first date is gone: “${due}”`);
  await window.goto(owner.link);
  expect((await page.locator("main").innerText()).includes("4月15日"), where, "the owner does not read the new date");
}

// ---- 4: 催办 for several at once ----

async function bulk(window) {
  const where = `${window.width} bulk`;
  const page = window.page;
  const before = await inboxCount(window);
  await window.goto(`/items?${here}&state=not_reported`);
  const boxes = page.locator(".rows.items input[name=i]");
  const picked = [];
  for (const index of [0, 1, 2, 5, 8, 13]) {
    await boxes.nth(index).check();
    picked.push(Number((await boxes.nth(index).getAttribute("value")).split("/")[0]));
  }
  await window.look("items-picked");
  await window.follow(page.getByRole("button", { name: "催办所选" }));
  const lines = await page.locator(".rows.urging tbody tr").evaluateAll((rows) => rows.map((row) => ({
    who: row.querySelector(".owner").textContent.trim(),
    tasks: row.querySelector(".what").textContent.match(/\d+/g).map(Number),
    goes: !row.querySelector(".note .missing"),
  })));
  same([...new Set(lines.flatMap((line) => line.tasks))].sort((a, b) => a - b), [...new Set(picked)].sort((a, b) => a - b), `${where}: tasks in the preview`);
  const going = lines.filter((line) => line.goes).map((line) => line.who).sort();
  expect(going.length > 0, where, "nobody is urged");
  same(await window.number("form.confirm button"), going.length, `${where}: people on the button`);
  await window.look("urge");
  const post = await Window.open(browser, new URL(page.url()).origin, window.width);
  same(await inboxCount(post), before, `${where}: sent by the preview alone`);
  await post.page.context().close();
  await window.follow(page.locator("form.confirm button"));
  expect(!page.url().includes("/urge"), where, "it stays on the preview");

  // Written one by one: until they are there, and then not one more.
  await until(async () => await inboxCount(window) >= before + going.length, `${where}: the messages`);
  await advance(window, "2022-03-28T09:45");
  same(await inboxCount(window), before + going.length, `${where}: messages in all`);
  const rows = await page.locator(".rows.inbox tbody tr").evaluateAll((all) => all.map((row) =>
    [row.querySelector(".owner").textContent.trim(), row.querySelector(".tag").textContent.trim(), row.querySelector("a").href]));
  const newest = rows.slice(0, going.length);
  same(newest.map((row) => row[0]).sort(), going, `${where}: who got them`);
  expect(newest.every((row) => row[1].includes("催办")), where, `they are called ${[...new Set(newest.map((row) => row[1]))]}`);
  const first = lines.find((line) => line.who === newest[0][0]);
  await window.goto(newest[0][2]);
  const text = await window.text("pre.text");
  for (const task of first.tasks) expect(text.includes(`第${task}项`), where, `the message does not name task ${task}`);
  await window.look("message");
}

async function until(holds, what) {
  const end = Date.now() + 15000;
  while (!await holds()) {
    if (Date.now() > end) throw new Error(`${what}: not within 15 seconds`);
  }
}

// ---- 1: Monday morning ----

// The length of a list over all its pages.
async function length(window) {
  let rows = await window.count(".rows.items tbody tr");
  for (let next = window.page.locator(".pager a[rel=next]"); await next.count() > 0; ) {
    await window.follow(next);
    rows += await window.count(".rows.items tbody tr");
  }
  return rows;
}

async function leads(window, label, href, wanted) {
  await window.goto(href);
  const where = `${window.width} ${label}`;
  same(await window.number("h1 .count"), wanted, `${where}: number over the list`);
  same(await length(window), wanted, `${where}: rows of the list`);
}

async function monday(window) {
  const page = window.page;
  await window.goto("/");
  const plain = await page.locator(".tiles .tile").evaluateAll((all) => all.map((one) =>
    ({ label: one.querySelector("span").textContent, count: Number(one.querySelector("b").textContent), href: one.href })));
  same(plain.map((one) => one.label), ["应报", "已报", "未报", "超期未报", "退回", "待审"], `${window.width} numbers`);
  const small = await page.locator(".beside a:not(.button)").evaluateAll((all) => all.map((one) =>
    ({ label: one.textContent.trim(), count: Number(one.querySelector("b").textContent), href: one.href })));
  const bars = await page.locator(".bars tbody tr").evaluateAll((all) => all.map((row) =>
    ({ label: row.querySelector("a").textContent, count: Number(row.lastElementChild.textContent), href: row.querySelector("a").href })));
  const needs = await page.locator(".needs li").evaluateAll((all) => all.map((one) =>
    ({ text: one.textContent, href: one.querySelector("a")?.href })));
  for (const label of ["已报", "未报", "超期未报", "退回", "待审"]) {
    expect(plain.find((one) => one.label === label)?.count > 0, `${window.width} numbers`, `${label} is nothing: the walk proves too little`);
  }
  const [all, reported, open] = plain.map((one) => one.count);
  same(reported + open, all, `${window.width} reported and not reported`);

  // One by a press, as people do; the others by the same address.
  await window.follow(page.locator(".tiles .tile").nth(3));
  same(await window.number("h1 .count"), plain[3].count, `${window.width} pressed 超期未报`);
  for (const { label, count, href } of [...plain, ...small]) await leads(window, label, href, count);
  expect(bars.length >= 10, `${window.width} bars`, `only ${bars.length}`);
  const kinds = new Set(bars.map((bar) => new URL(bar.href).searchParams.has("unit")));
  same(kinds.size, 2, `${window.width} bars by unit and by leader`);
  for (const { label, count, href } of [...bars.slice(0, 4), ...bars.slice(-4)]) await leads(window, label, href, count);
  expect(needs.length > 0, `${window.width} needs`, "nothing needs a person");
  for (const { text, href } of needs) {
    if (!href) { fault(`${window.width} needs`, `“${text}” leads nowhere`); continue; }
    await window.goto(href);
    expect(await window.count("main h1") > 0, `${window.width} needs`, `“${text}” leads to a page without a heading`);
  }

  await window.goto("/");
  for (const sign of ["✓", "超", "退"]) {
    const cell = page.locator(".grid td a", { hasText: new RegExp(`^${sign}$`) }).first();
    const task = await cell.evaluate((one) => one.closest("tr").querySelector("th").firstChild.textContent.trim());
    await window.follow(cell);
    same(await window.text("h1 .no"), `第${task}项`, `${window.width} cell ${sign}`);
    await page.goBack({ waitUntil: "load" });
  }
}

// ---- 7: live ----

async function live(window, base, { link, tasks }) {
  const page = window.page;
  const connected = page.waitForResponse((answer) => answer.url().includes("/events"));
  await window.goto("/");
  await connected;
  const tile = page.locator(".tiles .tile", { hasText: /已报/ }).first().locator("b");
  const before = Number(await tile.textContent());
  await page.evaluate(() => { window.sameAsBefore = true; });
  await tell(base, link, tasks[0], "completed");
  await page.waitForFunction((wanted) => [...document.querySelectorAll(".tiles .tile")]
    .some((one) => one.querySelector("span").textContent === "已报" && one.querySelector("b").textContent === String(wanted)), before + 1);
  expect(await page.evaluate(() => window.sameAsBefore === true), `${window.width} live`, "the page was loaded anew");
  await page.waitForFunction(() => document.getElementById("live-word").textContent !== "");
}

// ---- 6: as of ----

async function asOf(window) {
  const page = window.page;
  const where = `${window.width} as of`;
  const tiles = () => page.locator(".tiles .tile b").allTextContents();
  await window.goto(`/?${here}`);
  const now = await tiles();
  await window.goto(`/?${here}&as_of=2022-03-17T09:05`);
  const then = await tiles();
  same(then, [now[0], "0", now[0], "0", "0", "0"], `${where}: numbers before anybody had reported`);
  expect((await window.text(".notice")).includes("3月17日"), where, "the page does not say of when it is");
  const posts = () => window.count("main form[method=post]");
  same(await posts(), 0, `${where}: forms on /`);
  await window.look("board-past");
  await window.follow(page.locator(".tiles .tile").nth(2));
  same(await window.number("h1 .count"), Number(then[2]), `${where}: the list behind the number`);
  same(await posts(), 0, `${where}: forms on the list`);
  same(await window.count("main .pickers"), 0, `${where}: buttons on the list`);
  await window.follow(page.locator(".rows.items .name a").first());
  same(await posts(), 0, `${where}: forms on the item`);
  expect(page.url().includes("as_of="), where, "the item's page is of now");
}

// ---- 5: exports ----

async function exports(window) {
  const wanted = [
    ["/export.xlsx", /^dongguan-2022\.2022Q1\.xlsx$/, [0x50, 0x4b, 3, 4], 40_000],
    ["/bulletin.docx", /通报\.docx$/, [0x50, 0x4b, 3, 4], 8_000],
    ["/items.csv", /^2022年第一季度应报清单\.csv$/, [0xef, 0xbb, 0xbf], 40_000],
    ["/grid.png", /^dongguan-2022-2022Q1\.png$/, [0x89, 0x50, 0x4e, 0x47], 20_000],
  ];
  for (const [from, name, begins, least] of wanted) {
    const where = `${window.width} ${from}`;
    const { bytes, called } = from === "/grid.png" ? await shown(window, from) : await saved(window, from);
    expect(name.test(called), where, `is called ${called}`);
    same([...bytes.subarray(0, begins.length)], begins, `${where}: its first bytes`);
    expect(bytes.length >= least, where, `${bytes.length} bytes`);
  }
  // What the page for papers offers is what was just fetched.
  await window.goto(`/papers?${here}`);
  for (const [from] of wanted.filter(([from]) => from !== "/items.csv")) {
    expect(await window.count(`main a[href^="${from}"]`) > 0, `${window.width} /papers`, `does not offer ${from}`);
  }
}

async function saved(window, from) {
  await window.goto("/papers");
  const coming = window.page.waitForEvent("download");
  await window.page.evaluate((to) => { location.href = to; }, `${from}?${here}`);
  const download = await coming;
  return { bytes: readFileSync(await download.path()), called: download.suggestedFilename() };
}

// A picture opens in the window, and has a name for whoever keeps it.
async function shown(window, from) {
  const answer = await window.page.request.get(`${from}?${here}`);
  return { bytes: await answer.body(), called: /filename="([^"]+)"/.exec(answer.headers()["content-disposition"])?.[1] ?? "" };
}

// ---- 8 and 9: every main page ----

async function pages(window, owner) {
  const page = window.page;
  await window.goto(`/items?${here}&state=reported`);
  const row = page.locator(".rows.items tbody tr").first();
  const href = (css) => row.locator(css).first().getAttribute("href");
  const [item, unit, person] = [await href(".name a"), await href(".unit a"), await href(".owner a")];
  const task = item.split("/").filter(Boolean).slice(1);
  const all = {
    board: "/", "board-q2": `/?plan=${PLAN}&quarter=2022Q2`, items: `/items?${here}`, item, whole: `/task/${PLAN}/${task[2]}`, person, unit, review: "/review",
    requests: "/requests", deliveries: "/deliveries", papers: "/papers", contacts: "/settings/contacts",
    holidays: "/settings/holidays", config: "/settings/config", import: "/import", mails: "/mails", unclear: "/unclear",
    readiness: "/readiness", templates: "/templates", inbox: "/inbox", "owner-late": owner.link,
  };
  for (const [name, address] of Object.entries(all)) {
    await window.goto(address);
    await window.look(name);
  }
  await window.goto("/settings");
  expect(page.url().endsWith("/settings/contacts"), `${window.width} /settings`, `leads to ${page.url()}`);
}

async function administrator(base, width) {
  const window = await Window.open(browser, base, width);
  await window.goto("/");
  expect(window.page.url().includes("/login"), `${width} sign in`, "is not asked for");
  await window.look("login");
  await window.page.fill("input[name=name]", "guanli");
  await window.page.fill("input[name=password]", process.env.WALK_PASSWORD);
  await window.follow(window.page.locator("form button.primary"));
  for (const [name, address] of [["office-board", "/"], ["users", "/users"], ["account", "/account"], ["tokens", "/tokens"], ["office-readiness", "/readiness"]]) {
    await window.goto(address);
    await window.look(name);
  }
  await window.page.context().close();
}
