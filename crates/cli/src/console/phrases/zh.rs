//! Chinese.

use crate::console::language::Language;
use crate::console::phrases::Phrases;

pub(super) const PHRASES: Phrases = Phrases {
    language: Language::Zh,
    ask_servers: "请输入服务器数量：",
    prompt: "命令：",
    server: "服务器{number}",
    task: ["{seconds}秒", "{seconds}秒", "{seconds}秒"],
    by_last_digit: false,
    sent: "{task}的任务已发送到{server}。",
    queued: "{task}的任务已进入队列。",
    finished: "{server}完成了{task}的任务。",
    returned: "{task}的任务已退回队列（{server}）。",
    joined: "已添加{server}（速度 {speed}）。",
    left: "已删除{server}。",
    speed_set: "{server}：之后的任务速度为 {speed}。",
    policy_set: "策略：{policy}。",
    more: "    还有 {count} 个事件",
    state: "服务器状态：",
    busy: "{server}：正在执行任务（剩余{left}）",
    idle: "{server}：空闲",
    bound: "，等待它的任务：{count}",
    no_servers: "没有服务器",
    queue_none: "任务队列：空。",
    queue: "任务队列：{tasks}",
    left_of: "{seconds}秒",
    between: "，",
    and_more: "以及另外 {count} 个。",
    summary: "总结：经过{time}，已完成任务：{done}，正在执行：{running}，等待：{waiting}。",
    means: "任务平均等待{wait}，平均在{response}后完成",
    share: "{server}：完成任务 {count} 个，{percent} % 的时间忙碌",
    waited_long: "已经过 {count} 秒，仍有任务（console_wait_max）；请重复该命令。",
    help: "\
命令（三种语言均可）：
    添加 5 3 10x2      5 秒、3 秒的任务和十个 2 秒的任务；秒数也可写在下一行
    添加 服务器 [2]    新增一台服务器，可指定速度
    删除 服务器 2      服务器离开，它的任务退回队列
    速度 2 0.5         服务器 2 以一半速度工作
    策略 least-loaded  换一种分配方式（bary policy ls 列出全部）
    等待 [10|全部]     时间流逝：一秒、十秒，或直到没有任务
    状态               显示谁在执行什么
    帮助、退出",
    unknown: "不认识“{word}”：{fix}",
    did_you_mean: "是不是“{near}”？",
    see_help: "请输入“帮助”",
    no_time: "“{word}”不是任务时长：请写 0.001 到 1000000 的秒数，例如 5 或 2.5，十个任务写 10x5",
    times_missing: "没有说明任务时长：请写秒数，例如 5",
    no_count: "“{word}”不是服务器数量：请写 1 到 {most} 的整数",
    no_such_server: "没有服务器“{word}”；现有 {servers}",
    no_speed: "“{word}”不是速度：请写 0.001 到 1000 的数，例如 2 或 0.5",
    no_wait: "“{word}”不是等待时间：请写 1 到 {most} 的整秒数，或“全部”",
    missing: "缺少内容：例如写“{example}”",
    too_much: "“{word}”多余：例如写“{example}”",
    too_long: "这一行超过 {most} 字节（console_line_bytes_max）：请分开写",
    not_text: "这一行不是 UTF-8 文本",
    too_many_tasks: "一次会话最多 {most} 个任务（console_tasks_max）：请重新开始",
    too_many_servers: "最多 {most} 台服务器（console_servers_max）：请先删除一台",
    without_servers: "没有服务器：请先写“添加 服务器”",
    refused: "被拒绝：{why}",
};
