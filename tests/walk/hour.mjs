// README.zh-CN.md, 联络人的第一小时: each of its steps is taken in a new office, under the title it has
// there, and every word that it quotes has to stand on a page that the step leads to.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, fault, same, Window } from "./window.mjs";

const root = path.resolve(import.meta.dirname, "../..");
const base = process.env.HOUR_BASE;
const cuiban = (...words) =>
  execFileSync(process.env.CUIBAN, ["--config", path.join(process.env.HOUR, "cuiban.toml"), ...words], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });

export async function firstHour(browser, width) {
  const window = await Window.open(browser, base, width);
  const told = steps();
  same(told.map((step) => step.title), Object.keys(taken), "README.zh-CN.md: the steps of the hour");
  for (const { title, quoted } of told) {
    const began = Date.now();
    // What was to be read on the way, unfolded or not.
    let seen = "";
    const read = async () => { seen += await window.page.evaluate(() => document.documentElement.textContent); };
    const onLoad = () => read().catch(() => {});
    window.page.on("load", onLoad);
    try {
      await taken[title](window, read);
      await read();
    } catch (error) {
      fault(`hour ${title}`, `${String(error).split("\n", 3).join(" ")} at ${window.page.url()}`);
    }
    window.page.off("load", onLoad);
    for (const word of quoted) expect(seen.includes(word), `hour ${title}`, `“${word}” stands on no page of this step`);
    console.log(`hour ${title} (${Date.now() - began} ms)`);
  }
  await window.page.context().close();
}

// Title and quoted words of each step, as they stand in the document.
function steps() {
  const text = readFileSync(path.join(root, "README.zh-CN.md"), "utf8");
  const [, hour] = /^## 联络人的第一小时\n([^]*?)^## /m.exec(text);
  return [...hour.matchAll(/^\*\*[一二三四五六七八九十]+、(.+?)。\*\*(.*)$/gm)].map(([, title, words]) =>
    ({ title, quoted: [...words.matchAll(/“(.+?)”/g)].map(([, word]) => word) }));
}

const press = (window, name) => window.follow(window.page.getByRole("button", { name, exact: true }).first());
const go = (window, name) => window.follow(window.page.getByRole("navigation", { name: "栏目" }).getByRole("link", { name }));
const tab = (window, name) => window.follow(window.page.getByRole("navigation", { name: "设置" }).getByRole("link", { name }));

const taken = {
  async 登录(window) {
    await window.goto("/");
    await window.page.getByLabel("账号").fill("zhangsan");
    await window.page.getByLabel("密码").fill(process.env.WALK_PASSWORD);
    await press(window, "登录");
    await window.page.locator("details.account summary").click();
    await window.follow(window.page.getByRole("link", { name: "我的账号" }));
  },

  async 导入分解表(window) {
    const page = window.page;
    await go(window, "导入");
    await page.locator("input[type=file]").setInputFiles(path.join(root, "seeds/dongguan-2022.txt"));
    await press(window, "上传并核对");
    const sure = page.getByLabel("已核对无误，按上面的内容入库");
    for (let nth = await sure.count(); nth > 0; nth -= 1) await sure.nth(nth - 1).check();
    await press(window, "重新核对");
    await press(window, "入库");
    expect((await window.text(".notice.good")).includes("共250项任务"), "hour import", "not all tasks are stored");
  },

  async 填联系人(window) {
    const page = window.page;
    await go(window, "设置");
    const coming = page.waitForEvent("download");
    await page.getByRole("link", { name: "下载联系人表" }).click();
    same((await coming).suggestedFilename().endsWith(".xlsx"), true, "hour contacts: the sheet");
    // Filled in, for all but one; as CSV, which can be written here.
    const sheet = path.join(process.env.HOUR, "contacts.csv");
    cuiban("contacts", "template", "-o", sheet);
    const lines = readFileSync(sheet, "utf8").split("\n").filter((line) => line.trim() !== "");
    writeFileSync(sheet, lines.map((line, nth) => {
      const cells = line.split(",");
      if (nth > 1) cells[4] = `u${nth}@example.invalid`;
      return cells.join(",");
    }).join("\n"));
    await page.locator("input[type=file]").setInputFiles(sheet);
    await press(window, "上传并核对");
    await press(window, "入库");
    expect((await window.text(".notice.good")).includes("已入库"), "hour contacts", "not stored");
  },

  async 看谁还联系不上(window) {
    await go(window, "设置");
    await tab(window, "联系核对");
    same(await window.number(".panel.list h2 .count"), lines() - 1, "hour readiness: people");
    await press(window, "给未确认的地址发测试消息");
    expect((await window.text(".notice")).includes("正在发送"), "hour readiness", "no test message");
  },

  async 看看板(window) {
    await go(window, "看板");
    same(await window.count(".tiles .tile"), 6, "hour board: numbers");
    await window.follow(window.page.locator(".tiles .tile").nth(2));
    await window.page.goBack({ waitUntil: "load" });
  },

  async 催办(window) {
    const page = window.page;
    await go(window, "清单");
    await window.follow(page.getByRole("navigation", { name: "按状态" }).getByRole("link", { name: /^未报/ }));
    for (const nth of [3, 5, 8]) await page.locator(".rows.items input[name=i]").nth(nth).check();
    await press(window, "催办所选");
    await window.follow(page.locator("form.confirm button"));
    await go(window, "消息");
  },

  async 审核(window) {
    const link = await owner();
    await reported(link, 3);
    await go(window, "审核");
    await press(window, "通过");
    await window.page.locator("article.judged input[type=checkbox]").first().check();
    await press(window, "通过所选");
    await window.follow(window.page.getByRole("link", { name: "退回或查看全部" }).first());
    const form = window.page.locator("form[action='/review']", { has: window.page.getByRole("button", { name: "退回" }) });
    await form.locator("textarea[name=reason]").fill("请补充完成的数量。");
    await window.follow(form.getByRole("button", { name: "退回" }));
  },

  async 办理申请(window) {
    // An owner asks for two things, on a page of his own.
    const page = await window.page.context().newPage();
    const link = await owner(4);
    await page.goto(link);
    await page.getByRole("button", { name: "申请延期" }).first().click();
    await page.locator("input[name=day]").fill("2022-04-15");
    await page.locator("textarea[name=reason]").fill("评审会推迟。");
    await page.getByRole("button", { name: "提交申请" }).click();
    await page.waitForLoadState("load");
    await page.goto(link);
    await page.getByRole("button", { name: "此项不由我负责" }).last().click();
    await page.getByLabel("应由谁负责（姓名）").fill("钟靖平");
    await page.getByLabel("单位").fill("市科技局");
    await page.getByRole("button", { name: "提交" }).click();
    await page.waitForLoadState("load");
    await page.close();
    await go(window, "待办");
    await press(window, "同意");
  },

  async 出文书(window) {
    await go(window, "文书");
    const coming = window.page.waitForEvent("download");
    await window.page.getByRole("link", { name: "下载草稿（不取号）" }).click();
    expect((await coming).suggestedFilename().endsWith("通报.docx"), "hour papers", "no draft");
  },
};

// Rows of the contact sheet, with its head.
function lines() {
  return readFileSync(path.join(process.env.HOUR, "contacts.csv"), "utf8").split("\n").length;
}

// The page of somebody with so many items or more, out of the mails that were sent.
async function owner(least = 3) {
  for (const line of readFileSync(process.env.HOUR_MAIL, "utf8").split("\n").filter(Boolean)) {
    const blocks = JSON.parse(line).raw.split(/\r?\n\r?\n/).map((block) => Buffer.from(block, "base64").toString("utf8"));
    const link = blocks.map((block) => /http:\S+?\/r\/[\w.-]+/.exec(block)?.[0]).find(Boolean);
    if (!link || used.has(link)) continue;
    const sheet = await (await fetch(asked(link))).json();
    if ((sheet.items ?? []).filter((item) => item.state === "not_reported").length < least) continue;
    used.add(link);
    return link;
  }
  throw new Error("no mail leads to such an owner");
}
const used = new Set();
const asked = (link) => `${base}/api/v1/reply/${new URL(link).pathname.slice("/r/".length)}`;

async function reported(link, many) {
  const { items } = await (await fetch(asked(link))).json();
  const reports = items.slice(0, many).map(({ task }) => ({ task, status: "on_schedule", progress: "已按计划完成本季度工作。" }));
  const answer = await fetch(asked(link), { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ reports }) });
  same(answer.status, 200, "hour: a report");
}
