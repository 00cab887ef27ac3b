#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "netisolate/ports.hpp"

namespace penumbra::netisolate {

/// The kernel's links and namespaces through rtnetlink(7) by libnl. Thread-bound: the calling thread enters a namespace
/// for the length of a call and comes back, or the process ends. Needs CAP_NET_ADMIN and CAP_SYS_ADMIN.
class NetlinkLinks final : public LinkControl {
 public:
    /// Namespaces are bind mounts in `folder`, as iproute2 keeps its own; the folder goes with the last of them.
    explicit NetlinkLinks(std::filesystem::path folder = "/run/penumbra/netns") : folder_(std::move(folder)) {}

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

 private:
    [[nodiscard]] std::string path_of(std::string_view space) const;

    std::filesystem::path folder_;
};

}  // namespace penumbra::netisolate
