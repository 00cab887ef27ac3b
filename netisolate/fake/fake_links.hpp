#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "netisolate/ports.hpp"

namespace penumbra::netisolate {

/// Links and namespaces in memory, as the kernel keeps them: a veth's ends live and die together, a namespace takes its
/// links along. Thread-bound. For tests only.
class FakeLinks final : public LinkControl {
 public:
    [[nodiscard]] Result<NetworkState> observe() override;
    [[nodiscard]] Result<void> add_space(std::string_view space) override;
    [[nodiscard]] Result<void> remove_space(std::string_view space) override;
    [[nodiscard]] Result<void> add_link(const Link& link, const Link* peer) override;
    [[nodiscard]] Result<void> remove_link(std::string_view space, std::string_view name) override;
    [[nodiscard]] Result<void> set(std::string_view space, std::string_view name,
                                   const LinkSettings& settings) override;
    [[nodiscard]] Result<void> add_address(std::string_view space, std::string_view link,
                                           std::string_view address) override;
    [[nodiscard]] Result<void> remove_address(std::string_view space, std::string_view link,
                                              std::string_view address) override;
    [[nodiscard]] Result<void> deliver_from(std::string_view space, std::string_view link) override;
    [[nodiscard]] Result<void> sever(std::span<const std::string> names) override;

    // what a test does to it
    [[nodiscard]] NetworkState& state() noexcept { return state_; }
    void fail_call(std::uint64_t nth, Error error);  ///< the nth call from now (1: the next) fails, changing nothing
    [[nodiscard]] std::uint64_t calls() const noexcept { return calls_; }

 private:
    [[nodiscard]] Result<void> admit();
    [[nodiscard]] Result<Link*> ours(std::string_view space, std::string_view name);

    NetworkState state_;
    std::map<std::uint64_t, Error> failures_;
    std::uint64_t calls_ = 0;
};

}  // namespace penumbra::netisolate
