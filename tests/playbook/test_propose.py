"""Which role a name speaks for; names that only look like a role take none."""

import pytest

from handraise.playbook.load import load_template
from handraise.playbook.propose import PASSIVE, is_page_view, propose, propose_page, vocabulary

SURE = {
    "signed_up": ["Sign Up", "signedUp", "user_registered", "signup_completed", "注册成功"],
    "activation": ["Account Activated", "激活"],
    "premium_feature": ["Premium Feature Used", "pro_template_used", "使用高级功能"],
    "feature": ["Feature Used", "feature_opened"],
    "limit_reached": ["Storage Limit Hit", "quotaExceeded", "达到上限"],
    "api_or_integration": ["api_key_created", "Slack Integration Connected", "webhook.created", "API Call"],
    "export": ["export_csv", "Report Exported", "download-report", "导出报表"],
    "invite_sent": ["invite_sent", "InviteSent", "Teammate Invited", "invite:colleague", "邀请同事"],
    "external_share": ["share_link_created", "shared with client", "公开分享"],
    "pricing_view": ["Viewed Pricing Page", "viewPricing", "page_view: Pricing", "查看价格"],
    "upgrade_started": ["begin_checkout", "Upgrade Button Clicked", "plan_selected", "点击升级"],
    "upgrade_completed": ["Plan Upgraded", "Checkout Completed", "Payment Succeeded", "升级成功"],
    "enterprise_request": ["sso_requested", "SAML configured", "audit_log_viewed", "申请单点登录"],
    "billing_question": ["billing_question", "invoice support ticket", "账单问题"],
    "contact_sales": ["Contact Sales", "demo_requested", "Book a Demo", "联系销售"],
    "admin_change": ["admin_added", "role_changed", "Ownership Transferred", "管理员变更"],
    "legal_view": ["terms_viewed", "privacy_policy_opened", "查看隐私政策"],
    "workspace_created": ["workspace_created", "create_organization", "创建团队"],
    "onboarding_started": ["onboarding_started", "Tour Begun start"],
    "onboarding_completed": ["Tour Finished", "完成新手引导"],
    "seat_consolidation_request": ["consolidate_seats"],
    "volume_pricing_question": ["bulk_discount_asked", "批量采购"],
    PASSIVE: ["email_opened", "Newsletter Delivered", "invite_received", "notification_received", "邮件打开"],
}


@pytest.mark.parametrize(("role", "name"), [(role, name) for role, names in SURE.items() for name in names])
def test_a_name_that_says_its_role_is_sure_of_it(role: str, name: str) -> None:
    found = propose(name, {})
    assert found is not None
    assert (found.role, found.level) == (role, "sure")


NOT_THAT = [
    *("delete_invite", "invite_revoked", "invitation_accepted", "uninvited", "取消邀请", "invite declined"),
    *("sign_up_failed", "注册失败", "newsletter_signup", "device_registered", "webinar registration"),
    *("export_failed", "download_app", "share_revoked", "unshare", "api_key_deleted", "integration_removed"),
    *("subscription_cancelled", "payment_failed", "trial_started", "upgraded_app_version", "update_price"),
    *("sso_login", "permission_denied", "admin_removed", "terms_accepted", "workspace_deleted", "删除团队"),
    *("onboarding_skipped", "deactivated", "license_activated", "feature_request_submitted", "feature_flag_called"),
    *(
        "login",
        "logout",
        "message_sent",
        "commit",
        "page_view",
        "search",
        "打开首页",
        "",
        "DROP TABLE x",
        "🎉",
        "importedData",
    ),
    *("capacity_planned", "classroom_opened", "mission_completed", "compromised", "apiary_visited", "exporter"),
]


@pytest.mark.parametrize("name", NOT_THAT)
def test_a_name_that_only_looks_like_a_role_takes_none(name: str) -> None:
    assert propose(name, {}) is None


@pytest.mark.parametrize("name", ["Sign Up Clicked", "invite_modal_opened", "screen_view: Sign Up", "邀请弹窗展示"])
def test_a_click_near_the_deed_is_only_perhaps_the_deed(name: str) -> None:
    found = propose(name, {})
    assert found is not None
    assert found.level == "maybe"


def test_properties_speak_where_the_name_does_not() -> None:
    plain = propose("canvas_tool", {"feature_name": {"lasso"}})
    paid = propose("canvas_tool", {"feature": {"lasso"}, "premium": {"True"}})
    assert plain is not None
    assert (plain.role, plain.level, plain.feature) == ("feature", "likely", "feature_name")
    assert paid is not None
    assert (paid.role, paid.where, paid.feature) == ("premium_feature", (("premium", "true"),), None)
    assert propose("canvas_tool_failed", {"feature": {"lasso"}}) is None


@pytest.mark.parametrize(
    ("value", "role"),
    [
        ("/pricing", "pricing_view"),
        ("https://acme.example/Pricing/?a=1#top", "pricing_view"),
        ("/legal/dpa", "legal_view"),
        ("/contact-sales", "contact_sales"),
        ("/home", None),
        ("/blog/how-we-changed", None),
        ("/planning", None),
    ],
)
def test_a_page_is_known_by_its_address(value: str, role: str | None) -> None:
    found = propose_page("page_view", "path", value)
    assert (found.role if found else None) == role


def test_page_views_are_known_in_each_vendors_words() -> None:
    assert all(is_page_view(name) for name in ("page_view", "$pageview", "Page Viewed", "$mp_web_page_view"))
    assert not is_page_view("page_view: Pricing")


def test_every_role_of_the_vocabulary_is_a_role() -> None:
    roles = set(load_template().playbook.roles)
    assert {pattern.role for pattern in vocabulary().patterns} == {*roles, PASSIVE}
    assert {role for role, _ in vocabulary().page_roles} <= roles
