#include <algorithm>

#include "cli/verbs.hpp"
#include "cli/wait.hpp"

namespace penumbra::cli {

namespace {
template <class View, class Is>
Result<void> print_one(Session& session, model::api::RequestBody request, const Is& is) {
    auto views = TRY(ask_for<std::vector<View>>(session.ask, std::move(request)));
    std::erase_if(views, [&](const View& view) { return !is(view); });
    session.print(render(views, session.format));
    return {};
}

bool is_clean(const model::IsolationReport& report) {
    return report.seen_on_production == 0 && report.positive_control_seen > 0 && report.corpus_frames > 0;
}

Result<std::vector<ArmId>> arms_of(Session& session, const ShadowId& shadow) {
    const auto shadows = TRY(ask_for<std::vector<model::ShadowView>>(session.ask, model::api::ListShadows{}));
    const auto found = std::ranges::find(shadows, shadow, [](const auto& view) { return view.status.spec.shadow; });
    if (found == shadows.end()) {
        return fail(ErrorCode::kNotFound,
                    fmt::format("there is no shadow {}: see `penumbra shadow list`", shadow.text()));
    }
    return found->status.spec.arms;
}
}  // namespace

Result<ExitCode> replicate(Session& session, GroupId group) {
    const auto done = TRY(carry_out(session, model::api::Replicate{group}));
    if (done.has_value()) {
        TRY(print_one<model::GroupView>(session, model::api::ListGroups{},
                                        [&](const auto& view) { return view.group == group; }));
    }
    return ExitCode::kDone;
}

Result<ExitCode> shadow_create(Session& session, model::ShadowSpec spec) {
    const ShadowId shadow = spec.shadow;
    const auto done = TRY(carry_out(session, model::api::MakeShadow{std::move(spec)}));
    if (done.has_value()) {
        TRY(print_one<model::ShadowView>(session, model::api::ListShadows{},
                                         [&](const auto& view) { return view.status.spec.shadow == shadow; }));
    }
    return ExitCode::kDone;
}

Result<ExitCode> shadow_destroy(Session& session, ShadowId shadow) {
    TRY(carry_out(session, model::api::RemoveShadow{std::move(shadow)}));
    return ExitCode::kDone;
}

Result<ExitCode> shadow_probe(Session& session, ShadowId shadow, ArmId arm) {
    const std::vector<ArmId> arms = arm.empty() ? TRY(arms_of(session, shadow)) : std::vector{arm};
    for (const ArmId& one : arms)
        TRY(carry_out(session, model::api::ProbeShadow{.shadow = shadow, .arm = one}));
    if (!session.wait) return ExitCode::kDone;
    auto reports =
        TRY(ask_for<std::vector<model::IsolationReport>>(session.ask, model::api::ListIsolation{.shadow = shadow}));
    std::erase_if(reports, [&](const auto& report) { return std::ranges::find(arms, report.arm) == arms.end(); });
    session.print(render(reports, session.format));
    const bool clean = reports.size() == arms.size() && std::ranges::all_of(reports, is_clean);
    return clean ? ExitCode::kDone : ExitCode::kFailed;
}

}  // namespace penumbra::cli
