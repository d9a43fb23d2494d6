"""The header spellings that are recognized: the words themselves, best first.

A spelling is written as `plain_header` leaves it: half width, lower case, simplified, without blanks and marks.
To teach a new one, add it to the line of its field; what stands earlier wins where two columns claim one field.
"""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


SUBMISSION_SPELLINGS: dict[str, tuple[str, ...]] = {
    "submission_id": _words(
        "submissionid 编号 留言编号 工单编号 工单号 诉求编号 信件编号 来信编号 信访编号 信访件编号 提案编号 "
        "提案号 建议编号 案号 事项编号 受理编号 受理单号 受理号 登记编号 登记号 业务编号 任务编号 任务号 "
        "案件编号 案件号 投诉编号 热线编号 来电编号 话务编号 交办编号 交办单号 办件编号 办件号 订单编号 单号 "
        "单据编号 流水号 流水编号 业务流水号 记录编号 数据编号 问题编号 反映编号 意见编号 答卷编号 提交编号 "
        "唯一标识 标识 编码 messageid ticketid caseid orderid orderno workorderid workorderno caseno ticketno "
        "letterid recordid postid threadid uuid guid id 编号id 留言id 工单id 帖子id 答卷id code no number key "
        "件号 号码 答题序号 答卷序号 序号 行号 index"
    ),
    "title": _words(
        "title 标题 留言标题 留言主题 工单标题 诉求标题 信件标题 来信标题 信访标题 事项标题 问题标题 投诉标题 "
        "案件标题 建议标题 提案标题 意见标题 帖子标题 反映标题 信息标题 事件标题 办件标题 案由 提案案由 "
        "建议案由 提案题目 提案名称 建议名称 题目 主题 工单主题 诉求主题 信件主题 来信主题 问题主题 事项主题 "
        "信访主题 投诉主题 事项名称 诉求名称 事件名称 问题名称 您的标题 请输入标题 subject headline "
        "summary 标题内容 主旨 概要 摘要 问题概述 诉求概述 内容摘要 内容概要 反映问题概要 简述"
    ),
    "text": _words(
        "text 内容 正文 留言内容 留言详情 留言正文 诉求内容 诉求详情 诉求描述 诉求正文 工单内容 工单描述 "
        "工单详情 问题描述 问题内容 问题详情 反映内容 反映问题 反映情况 反映事项 反映问题内容 反映的问题 "
        "问题及诉求 事项描述 事项内容 事项详情 事件描述 事件内容 事件详情 来信内容 来信正文 信件内容 信件正文 "
        "信访内容 信访事项 信访诉求 投诉内容 投诉详情 投诉描述 举报内容 咨询内容 求助内容 建议内容 建议正文 "
        "建议详情 提案内容 提案正文 案件内容 案件描述 来电内容 来电诉求 通话内容 受理内容 登记内容 主要内容 "
        "主要诉求 主要问题 具体内容 具体问题 具体诉求 具体描述 具体情况 具体建议 具体意见 详细内容 详细描述 "
        "详细情况 详情 情况说明 情况描述 情况反映 问题说明 诉求说明 内容描述 内容详情 描述 意见建议 "
        "意见与建议 意见和建议 意见或建议 意见内容 意见 建议 您的意见 您的建议 您的意见建议 您的意见和建议 "
        "您的意见或建议 您的诉求 您的问题 您要反映的问题 您反映的问题 您想反映的问题 请描述您的问题 "
        "请填写您的意见 请填写您的建议 请填写您的意见建议 问题 诉求 群众诉求 市民诉求 居民诉求 群众意见 "
        "居民意见 留言 文本 原文 全文 正文内容 文本内容 帖子内容 帖子正文 消息内容 信息内容 评论内容 评论 "
        "微博内容 短信内容 案情 案情摘要 问题和建议 问题及建议 情况分析及建议 分析及建议 content body message "
        "detail details description complaint comment remark desc question opinion suggestion feedback "
        "fulltext messagecontent messagetext 来电反映内容 群众反映内容 反映诉求 诉求事项 求助事项 办理事项"
    ),
    "submitted_at": _words(
        "submittedat 提交时间 留言时间 时间 来信时间 来电时间 诉求时间 反映时间 投诉时间 信访时间 写信时间 "
        "发布时间 发表时间 发帖时间 上报时间 反馈时间 创建时间 登记时间 受理时间 接收时间 收到时间 接件时间 "
        "收件时间 收信时间 立案时间 建单时间 工单时间 生成时间 录入时间 填表时间 填报时间 填写时间 "
        "提交答卷时间 提出时间 提案时间 建议时间 事发时间 发生时间 提交日期 留言日期 日期 来信日期 来电日期 "
        "诉求日期 反映日期 投诉日期 发布日期 创建日期 登记日期 受理日期 收件日期 收信日期 提案日期 提出日期 "
        "填表日期 填报日期 派单时间 交办时间 转办时间 派单日期 交办日期 submittime submitdate createdat "
        "createtime createdtime createdate posttime postdate pubtime publishtime pubdate messagetime datetime "
        "timestamp time date 开始答题时间 结束答题时间"
    ),
    "submitter": _words(
        "submitter 提交人 提交者 提交用户 留言用户 留言人 留言者 委员姓名 委员 政协委员 提案人 提案者 "
        "第一提案人 第一提案者 领衔人 建议人 领衔代表 代表姓名 反映人 诉求人 诉求人姓名 来电人 来电人姓名 "
        "来信人 来信人姓名 信访人 信访人姓名 投诉人 投诉人姓名 举报人 申请人 求助人 咨询人 当事人 市民姓名 "
        "市民 群众姓名 居民姓名 客户姓名 发帖人 发布人 作者 网友 网民 网名 昵称 用户昵称 用户名 用户名称 用户 "
        "用户编号 用户id 姓名 您的姓名 您的称呼 称呼 联系人 联系人姓名 填表人 填报人 提交单位 提案单位 "
        "来电号码 来电电话 联系电话 手机号 手机号码 电话 联系方式 submitterid username userid user author name "
        "nickname contact person member poster"
    ),
    "channel": _words(
        "channel 渠道 来源渠道 受理渠道 诉求渠道 反映渠道 提交渠道 接收渠道 登记渠道 渠道来源 渠道名称 来源 "
        "来源方式 诉求来源 工单来源 信件来源 信访来源 事件来源 案件来源 问题来源 信息来源 数据来源 受理方式 "
        "反映方式 诉求方式 来电方式 信访形式 信访方式 受理来源 平台 来源平台 source origin platform via"
    ),
    "returned_by": _words("returnedby 退回单位 退单 退件 退回 退单单位 退件单位 退回部门 退单部门"),
    "place_whole": _words(
        "place 填报地点 属地 地点 事发地点 问题地点 发生地点 事件地点 反映地点 诉求地点 涉及地点 案发地点 "
        "问题属地 事发属地 诉求属地 问题发生地 事发地 发生地 location 位置 地理位置 问题位置 事件位置"
    ),
    "place_city": _words("city 城市 所属城市 市州 地市 所在城市 所在市 所属地市 市"),
    "place_district": _words(
        "district 区县 所属区县 区县市 县区 县市区 市县区 区市县 所属区域 区域 所属区 行政区 行政区划 "
        "所属行政区 行政区域 所在区县 所在区 所在区域 事发区县 事发区域 诉求区域 问题区域 所在县区 county area "
        "region 辖区 所属辖区 所属县区"
    ),
    "place_township": _words(
        "township 街道 所属街道 街镇 所属街镇 镇街 所属镇街 乡镇 所属乡镇 乡镇街道 街道乡镇 所在街道 事发街道 "
        "街道镇 所属街道乡镇 所属乡镇街道 subdistrict street town"
    ),
    "place_community": _words(
        "community 社区 所属社区 村社区 社区村 所在社区 村居 小区 所属小区 所在小区 小区名称 village"
    ),
    "place_address": _words(
        "address 地址 事发地址 详细地址 具体地址 问题地址 发生地址 事件地址 诉求地址 反映地址 涉及地址 "
        "具体地点 详细地点 具体位置 详细位置 事发位置 现场地址 案发地址 反映问题地址 联系地址 家庭地址 "
        "居住地址 住址 家庭住址 通讯地址 通信地址 用户地址"
    ),
}

LABEL_SPELLINGS: dict[str, tuple[str, ...]] = {
    "topic": _words("topic primary 主题分类 一级分类 一级标签 一级类别 领域 domain 分类 类别 主题"),
    "other_topics": _words("othertopics others 其他主题 其它主题 其他分类"),
    "department": _words("department 承办单位 主办单位 责任单位 承办部门 主办部门 责任部门"),
    "department_kind": _words("departmentkind leads 承办部门类别 部门类别"),
    "co_kinds": _words("cokinds 协办单位 协办部门 协办部门类别"),
    "issue": _words("issue issueid 事项 事项编号"),
    "tokens": _words("tokens 分词 分词结果"),
    "learn_only": _words("learnonly 只学不考"),
}

# Where no column has a known name, one that ends so and speaks of none of the others is taken, and reported.
TEXT_ENDINGS = ("内容", "详情", "描述", "正文", "诉求", "意见", "建议", "问题", "说明")
# Questions of a questionnaire: 您对本市供热工作有什么意见或建议？
TEXT_WORDS = ("意见", "建议", "诉求", "反映", "投诉", "困难")
NOT_THE_PUBLIC = _words(
    "来源 回复 答复 办理 处理 处置 回访 评价 满意 审核 审查 审批 结果 领导 批示 拟办 承办 主办 协办 反馈 备注 "
    "是否 分类 类型 类别 附件 转办 交办 退回 部门 单位 编号 时间 数量 次数"
)

TOTALS = frozenset(_words("合计 总计 小计 共计 总数 累计 本页合计 本页小计 合计数 total subtotal sum"))

# Traditional characters that occur in headers, each before its simplified one.
_PAIRS = _words(
    "標标 題题 內内 編编 號号 時时 間间 來来 詳详 訴诉 訪访 問问 資资 訊讯 備备 註注 創创 發发 錄录 處处 "
    "類类 別别 區区 縣县 鄉乡 鎮镇 電电 話话 聯联 繫系 絡络 員员 證证 單单 據据 狀状 態态 報报 訂订 務务 "
    "辦办 復复 覆复 見见 議议 體体 現现 場场 為为 與与 無无 網网 戶户 級级 領领 門门 責责 實实 際际 點点 "
    "機机 構构 業业 劃划 數数 當当 應应 該该 總总 結结 對对 從从 個个 們们 條条 項项 國国 關关 聞闻 開开 "
    "閱阅 讀读 導导 請请 給给 約约 職职 歸归 屬属 說说 語语 論论 評评 許许 設设 談谈 記记 誌志 稱称 組组 "
    "織织 線线 細细 絕绝 統统 維维 護护 術术 規规 視视 達达 過过 運运 還还 進进 遠远 連连 選选 郵邮 鏈链 "
    "長长 隊队 險险 隨随 難难 雲云 響响 頁页 順顺 須须 頭头 風风 驗验 團团 圖图 執执 寫写 將将 層层 師师 "
    "廣广 後后 徵征 愛爱 戰战 擇择 擊击 擬拟 權权 決决 沒没 測测 滿满 產产 異异 種种 節节 範范 簡简 簽签 "
    "籤签 終终 經经 續续 義义 聽听 裡里 裏里 補补 計计 詢询 試试 認认 調调 變变 貼贴 質质 轉转 農农 遞递 "
    "適适 錯错 鍵键 陳陈 陽阳 額额 願愿 齡龄 臺台 舉举 樓楼 幢幢 帳账 稅税"
)
TRADITIONAL = str.maketrans({pair[0]: pair[1] for pair in _PAIRS})
