// A view of the demo conference in the middle of item 5, for the tests.

const MINUTE = 60_000;

/** @param {number} now */
export function demoView(now) {
  const short = ["Cao Lãnh", "Sa Đéc", "Hồng Ngự", "Tân Hồng", "Hồng Ngự", "Tam Nông", "Thanh Bình", "Tháp Mười", "Cao Lãnh", "Lấp Vò", "Lai Vung", "Châu Thành"];
  const sites = [
    { id: 0, name: "Hội trường Tỉnh uỷ", short: "Hội trường", level: "", hall: true, summoned: 40 },
    ...short.map((name, place) => {
      const level = place < 3 ? "TP" : "Huyện";
      const full = place === 11 ? "Huyện Châu Thành – Trung tâm Hội nghị Đảng uỷ Khối các cơ quan và doanh nghiệp tỉnh" : `${level} ${name}`;
      return { id: place + 1, name: full, short: name, level, hall: false, summoned: 15 };
    }),
  ];
  const turns = { minutes: 5, at_zero: { rule: "warn" }, approval: false, queue: { mode: "round_of_sites" } };
  const item = (id, title, short, kind, minutes, from, to, drafts = []) => ({
    id, part_of: null, quorum_percent: null, quorum_base: "summoned", title, short, kind, presenter: "Ban Tổ chức Tỉnh uỷ", minutes, turns, drafts, started: from === null ? null : now + from * MINUTE, finished: to === null ? null : now + to * MINUTE,
  });
  const words = (speech, delegate, topic = "", paragraph = null) => ({ speech, delegate, topic, paragraph });
  const request = (turn, site, minutes, w) => ({ turn, site, words: w, about: null, at: now - minutes * MINUTE, why: { why: "round", turns: 0 }, ready: "unknown", heard: null });
  const speech = words("contribution", "Đại diện Ban Tổ chức Huyện uỷ", "", { draft: 3, paragraph: 12 });
  return {
    fixed: { title: "Hội nghị trực tuyến góp ý kiến dự thảo văn bản", organizer: "Ban Tổ chức Tỉnh uỷ", starts: 450, sites, drafts: drafts(), kinds: kinds() },
    sites: sites.map(({ id }) => (id === 6 ? { site: 6, carrier: null, since: now - 14_000 } : { site: id, carrier: "room", since: now - 80 * MINUTE })),
    agenda: {
      current: 5, next: 6, on_break: null, items: [
        item(1, "Khai mạc, giới thiệu đại biểu, điểm danh", "Khai mạc, điểm danh", "opening", 10, -82, -70),
        item(2, "Báo cáo kết quả khảo sát thực hiện Nghị quyết số 03-NQ/TU, Hướng dẫn số 22-HD/BTCTU", "Báo cáo khảo sát", "presentation", 20, -70, -51, [1]),
        item(3, "Trình bày dự thảo Tờ trình và dự thảo Kết luận", "Tờ trình, Kết luận", "presentation", 20, -51, -30, [2, 3]),
        item(4, "Trình bày dự thảo Kế hoạch kết nạp đảng viên nhiệm kỳ 2020–2025", "Kế hoạch kết nạp", "presentation", 10, -30, -22, [4]),
        item(5, "Thảo luận, góp ý từ các điểm cầu", "Thảo luận, góp ý", "discussion", 70, -22, null, [3, 2, 4]),
        item(6, "Phát biểu chỉ đạo của chủ trì", "Phát biểu chỉ đạo", "directing", 20, null, null),
        item(7, "Thông qua các chỉ tiêu", "Thông qua chỉ tiêu", "decision", 10, null, null),
        item(8, "Kết luận, bế mạc", "Kết luận, bế mạc", "closing", 10, null, null),
      ],
    },
    floor: {
      open: true, pending: [], others: [], on_deck: [21, 22], next: { does: "call", turn: 21 }, staged: [], kept: [], hall_microphone: false, microphones_closed: false, priority: false, denied: [], used: [], undo: null, deputy: null, last: { turn: 19, site: 4, how: "released" },
      turn: { turn: 20, site: 8, words: speech, about: null, started: now - 108_000, allotted_ms: 5 * MINUTE, used_ms: 0, running_since: now - 108_000, paused: false, held: false, interrupted: false, silenced: false, muted: false, away_until: null, warned_s: null },
      queue: [
        { ...request(21, 10, 6.7, words("contribution", "Đại diện Ban Tổ chức Huyện uỷ", "", { draft: 3, paragraph: 14 })), ready: "ready", heard: now - 30_000 },
        request(22, 11, 5.2, words("contribution", "Bà H'Linh Êban, Ban Thường vụ Huyện uỷ", "", { draft: 2, paragraph: 8 })),
        request(23, 12, 4.5, words("paper", "Đại diện Uỷ ban Mặt trận Tổ quốc huyện", "Chỉ tiêu 70%")),
        { ...request(24, 3, 2.1, words("reply", "Ngô Quốc Đạt, Ban Dân vận Thành uỷ".normalize("NFD"), "", { draft: 3, paragraph: 2 })), about: 19 },
        request(25, 2, 0.8, words("contribution", "Đại diện Thường trực Thành uỷ", "", { draft: 4, paragraph: 3 })),
      ],
    },
    stage: {
      layout: "speaker", preview: null, notice: "", paragraph: { draft: 3, paragraph: 12 }, paragraph_chosen: false, spotlight: null, carousel: null, page: 0, pages: 1,
      tiles: sites.map(({ id }) => id), heard: [8], programme: 8, on_deck: [10, 11], lower_third: { site: 8, delegate: speech.delegate, title: "", topic: "" },
    },
    attendance: { calling: null, since: null, sites: sites.map(({ id }) => ({ site: id, headcount: null, how: null, at: null, heard: null })), summoned: 220, present: 0, online: 0, quorum: null },
    prompts: [],
    speeches: [
      { turn: 18, site: 7, item: 5, words: words("contribution", "Ông Trần Văn C", "Chỉ tiêu"), about: null, started: now - 20 * MINUTE, ended: now - 16 * MINUTE, used_ms: 4 * MINUTE, how: null },
      { turn: 19, site: 4, item: 5, words: words("paper", "Bà Phạm Thị D"), about: null, started: now - 12 * MINUTE, ended: now - 7 * MINUTE, used_ms: 5 * MINUTE, how: "released" },
    ],
    feed: feed(now),
    seats: seats(sites),
    door: { waiting: [], banned: [] },
  };
}

/** The server's table: `crates/conference/src/precedence.rs`. */
function kinds() {
  const rows = { point_of_order: [0, true, false, true], question: [1, false, true, true], response: [2, false, true, false], reply: [3, false, true, false], paper: [4], contribution: [4], directing: [5], conclusion: [6] };
  return Object.entries(rows).map(([speech, [rank, though_closed = false, under_a_speech = false, interposes = false]]) => ({ speech, rights: { rank, though_closed, under_a_speech, interposes } }));
}

function drafts() {
  const heads = ["Đánh giá tình hình", "Mục tiêu, chỉ tiêu", "Nhiệm vụ, giải pháp", "Tổ chức thực hiện"];
  const lines = [
    "Công tác xây dựng tổ chức cơ sở đảng có chuyển biến tích cực; chất lượng sinh hoạt chi bộ được nâng lên, nhất là ở ấp, khóm.",
    "Tiếp tục quán triệt, thực hiện nghiêm Nghị quyết số 03-NQ/TU và các hướng dẫn của Ban Tổ chức Tỉnh uỷ.",
    "Hằng năm có 95% tổ chức cơ sở đảng được xếp loại “hoàn thành tốt nhiệm vụ” trở lên; 70% ban công tác mặt trận, chi hội, chi đoàn và tổ nhân dân tự quản được xếp loại khá trở lên.",
    "Đến năm 2025, tỷ lệ đảng viên so với dân số trên 4%.",
    "Chú trọng tạo nguồn, bồi dưỡng, kết nạp đảng viên ở ấp, khóm còn ít đảng viên; quan tâm đoàn viên, hội viên ưu tú.",
    "Nâng cao chất lượng sinh hoạt chi bộ; duy trì sinh hoạt chuyên đề theo quý, gắn với nhiệm vụ chính trị của địa phương.",
    "Quản lý chặt chẽ đảng viên đi làm ăn xa; định kỳ sáu tháng rà soát, báo cáo cấp uỷ cấp trên.",
    "Ban Tổ chức Tỉnh uỷ chủ trì, phối hợp hướng dẫn, kiểm tra việc thực hiện Kết luận này.",
  ];
  const roman = ["I.", "II.", "III.", "IV."];
  return [["dự thảo Báo cáo khảo sát", "Báo cáo khảo sát"], ["dự thảo Tờ trình", "Dự thảo Tờ trình"], ["dự thảo Kết luận", "Dự thảo Kết luận"], ["dự thảo Kế hoạch kết nạp đảng viên", "Dự thảo Kế hoạch"]].map(([title, short], place) => ({
    id: place + 1, title: title[0].toUpperCase() + title.slice(1), short,
    paragraphs: heads.flatMap((head, n) => [{ label: roman[n], heading: true, text: head }, ...lines.map((text, m) => ({ label: `${m + 1}.`, heading: false, text }))]),
  }));
}

function feed(now) {
  const rows = [
    [10, "wording", 12, "Thay “trở lên” bằng “và cao hơn” cho thống nhất với Hướng dẫn số 29-HD/BTCTU.", "Hằng năm có 95% tổ chức cơ sở đảng được xếp loại “hoàn thành tốt nhiệm vụ” và cao hơn; mỗi loại hình có ít nhất 70% được xếp loại khá trở lên.", false],
    [2, "target", 12, "Đề nghị giữ mức 70%, bổ sung lộ trình theo từng năm.", "", false], [4, "agree", 12, "Nhất trí với mức 95%.", "", false],
    [3, "add", 12, "Đề nghị thêm: “gắn với đánh giá người đứng đầu”.", "", true], [11, "recommendation", 13, "Kiến nghị có hướng dẫn cách xếp loại tổ nhân dân tự quản.", "", false],
    [7, "agree", 2, "Nhất trí với dự thảo.", "", false], [12, "substance", 14, "Nên ghi rõ đối tượng tạo nguồn.", "Chú trọng tạo nguồn, bồi dưỡng, kết nạp đảng viên là đoàn viên, hội viên ưu tú.", false],
  ];
  return rows.map(([site, kind, paragraph, text, proposed, held], place) => ({ id: place + 1, site, kind, words: { at: { draft: 3, paragraph }, text, proposed, delegate: "" }, at: now - (rows.length - place) * 2.4 * MINUTE, held }));
}

function seats(sites) {
  const more = [["chair", null, "room", "Chủ trì"], ["secretary", 0, "nothing", "Thư ký"], ["technician", null, "watch", "Kỹ thuật"], ["stage", null, "watch", "Màn hình lớn hội trường"], ["observer", null, "watch", "Người theo dõi"]];
  return [...more, ...sites.slice(1).flatMap((site) => [["moderator", site.id, "room", `Phụ trách ${site.level} ${site.short}`], ["moderator", site.id, "nothing", `Máy phụ ${site.level} ${site.short}`]])]
    .map(([role, site, carries, label], id) => ({ id, role, site, carries, label, revoked: id === 12, expelled: false, guarded: false }));
}

/** @param {number} beat */
export function demoTelemetry(beat) {
  return Array.from({ length: 13 }, (_, site) => ({
    site, connections: site === 6 ? 0 : 2,
    link: site === 6 ? null : { loss_percent: site === 7 ? 5.8 : (site * 7) % 5 / 10, rtt_ms: site === 7 ? 188 : 4 + site * 2, level_dbov: site === 8 ? -18 - (beat % 4) : site === 9 ? -2 : -40 - site, up_bps: site === 7 ? 410_000 : 1_500_000 + site * 40_000, down_bps: 900_000 + site * 9_000, fps: site === 7 ? 15 : 25, bears_bps: site === 7 ? 480_000 : 20_000_000, step: site === 7 ? "smaller_programme" : "full" },
  }));
}
