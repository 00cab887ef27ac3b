#pragma once

#include <chrono>
#include <functional>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "cli/ask.hpp"
#include "cli/exit_code.hpp"
#include "cli/render/render.hpp"

namespace penumbra::cli {

/// What a verb works with: whom it asks, where its words go, and how it waits. main() gives the real ones, a test its
/// own. Thread-bound.
struct Session {
    Ask ask;
    Format format = Format::kTable;
    bool wait = true;                                ///< for what takes long
    std::function<void(std::string_view)> print;     ///< results: stdout
    std::function<void(std::string_view)> progress;  ///< one line that replaces the one before it; "": none
    std::function<void(std::chrono::milliseconds)> pause;
    std::function<WallTime()> now;
};

/// What a command line asked for. An Error is printed in one sentence and gives the exit code of its kind.
using Verb = std::function<Result<ExitCode>(Session&)>;

/// Asks for one kind of reply and prints it.
template <class Expected>
[[nodiscard]] Result<ExitCode> show(Session& session, model::api::RequestBody request) {
    session.print(render(TRY(ask_for<Expected>(session.ask, std::move(request))), session.format));
    return ExitCode::kDone;
}

}  // namespace penumbra::cli
