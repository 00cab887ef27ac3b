#pragma once

#include <functional>
#include <string>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "base/result.hpp"
#include "proto/model/api.hpp"

namespace penumbra::cli {

/// One request to the coordinator and its reply. What the coordinator refuses is an Error with its sentence.
using Ask = std::function<Result<model::api::ReplyBody>(model::api::RequestBody)>;

/// Asks, and expects one kind of reply. Another kind is the coordinator's fault and said so.
template <class Expected>
[[nodiscard]] Result<Expected> ask_for(const Ask& ask, model::api::RequestBody request) {
    model::api::ReplyBody reply = TRY(ask(std::move(request)));
    if (auto* failure = std::get_if<model::api::Failure>(&reply)) return fail(failure->code, failure->message);
    if (auto* expected = std::get_if<Expected>(&reply)) return std::move(*expected);
    return fail(ErrorCode::kInternal,
                fmt::format("the coordinator answered with another kind of reply ({}) than was asked for; are this "
                            "penumbra and the coordinator of the same version?",
                            reply.index()));
}

}  // namespace penumbra::cli
