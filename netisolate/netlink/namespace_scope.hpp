#pragma once

#include <string>
#include <utility>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace penumbra::netisolate {

/// The calling thread is in another network namespace as long as this lives. Not coming back ends the process: every
/// later call would work on the wrong network. Thread-bound.
class NamespaceScope {
 public:
    /// An empty path: the namespace the thread is in already.
    [[nodiscard]] static Result<NamespaceScope> enter(const std::string& path);
    /// A fresh namespace, bound to `path` so that it stays.
    [[nodiscard]] static Result<NamespaceScope> make(const std::string& path);

    NamespaceScope(NamespaceScope&&) noexcept = default;
    NamespaceScope& operator=(NamespaceScope&&) = delete;
    NamespaceScope(const NamespaceScope&) = delete;
    NamespaceScope& operator=(const NamespaceScope&) = delete;
    ~NamespaceScope();

 private:
    explicit NamespaceScope(UniqueFd home) : home_(std::move(home)) {}
    UniqueFd home_;
};

}  // namespace penumbra::netisolate
