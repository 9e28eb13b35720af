"""The wire's words as people read them in Chinese; in English they are read as they are. Pure."""

from __future__ import annotations

ZH = {
    # outcomes of a declaration
    "pass": "通过",
    "home_quarantine": "居家隔离",
    "centralised_quarantine": "集中隔离",
    "hospital": "送医",
    # measures
    "isolation": "隔离治疗",
    "facility": "集中隔离（待床位）",
    "sealed": "楼栋硬隔离",
    "home": "居家隔离",
    # contacts
    "close": "密切接触者",
    "secondary": "次密切接触者",
    "general": "一般接触者",
    "household": "共同居住",
    "workplace": "同一办公",
    "transport": "同乘交通工具",
    "meal": "送餐",
    "visit": "探访",
    # tasks
    "network_report": "网络直报",
    "case_investigation": "流行病学调查",
    "case_transfer": "病例转运",
    "terminal_disinfection": "终末消毒",
    "gate_post": "出入口值守",
    "head_count": "逐户清点",
    "serve_notice": "送达隔离告知书",
    "trinity_visit": "三位一体上门",
    "contact_transfer": "密接转运",
    "pet_pickup": "宠物接管",
    "fever_escort": "发热陪诊",
    "door_check": "门前核查",
    "release_check": "解除核查",
    "focus_disinfection": "疫点消毒",
    "keeper_inquiry": "场所负责人询问",
    # rounds
    "notice": "送达告知",
    "temperature": "测温",
    "sampling": "采样",
    "shopping": "代购",
    "waste": "清运垃圾",
    "disinfection": "消杀",
    "medicine": "送药",
    "care": "照护",
    "psychological_call": "心理援助电话",
    "am": "上午",
    "pm": "下午",
    "day": "白天",
    "all": "一次",
    "breakfast": "早餐",
    "lunch": "午餐",
    "dinner": "晚餐",
    # events
    "sample.resulted": "检测结果",
    "case.suspected": "疑似病例",
    "case.confirmed": "病例确诊",
    "case.discarded": "病例排除",
    "case.amended": "病例更正",
    "exposure.published": "暴露发布",
    "exposure.withdrawn": "暴露撤回",
    "contact.identified": "发现密接",
    "contact.dropped": "密接排除",
    "seal.imposed": "楼栋封控",
    "seal.extended": "封控延长",
    "seal.withdrawn": "封控撤销",
    "seal.released": "封控解除",
    "quarantine.ordered": "下达隔离",
    "quarantine.served": "隔离告知送达",
    "quarantine.extended": "隔离变更",
    "quarantine.withdrawn": "隔离撤销",
    "quarantine.released": "隔离解除",
    "isolation.ordered": "下达隔离治疗",
    "isolation.ended": "隔离治疗结束",
    "roll.amended": "住户名册变更",
    "release.due": "到期待解除",
    "tasks.opened": "任务生成",
    "tasks.cancelled": "任务撤销",
    "task.assigned": "任务派发",
    "task.accepted": "任务接单",
    "task.started": "任务开始",
    "task.completed": "任务完成",
    "task.recalled": "任务召回",
    "task.escalated": "任务上提",
    "stops.recorded": "上门记录",
    "symptom.reported": "症状报告",
    "presence.recorded": "在家情况",
    # release conditions
    "days_completed": "隔离期满",
    "head_count_complete": "清点完成",
    "notices_served": "告知全部送达",
    "negative_sample": "核酸阴性",
    "no_open_symptom": "无未结症状",
    "no_infected_inside": "楼内无感染者",
    # levels
    "enclosure": "小区",
    "community": "社区",
    "street": "街道",
    "district": "区",
    "city": "市",
    # roles that own a condition
    "health": "医务",
    "police": "民警",
    # states
    "provisional": "临时封控，待下令",
    "released": "已解除",
    "found": "见到",
    "absent": "不在",
    "unregistered": "未登记",
    "lives_elsewhere": "住在别处",
    # what may be left
    "seals": "封控",
    "orders": "管控令",
    "contacts": "密接",
    "tasks": "任务",
    "rounds": "服务轮次",
}
#: The services by name; one of them shares its name with a measure.
ZH_SERVICES = {
    "declaration": "申报服务",
    "screening": "筛查服务",
    "isolation": "管控服务",
    "dispatch": "调度服务",
    "journal": "日志服务",
}


def word(text: str, lang: str) -> str:
    """A wire word for people."""
    if lang == "zh":
        return ZH.get(text, text)
    return text.replace("_", " ")
