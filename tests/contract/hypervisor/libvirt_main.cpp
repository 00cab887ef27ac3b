#include <csignal>
#include <optional>

#include <gtest/gtest.h>

#include "base/result.hpp"
#include "tests/contract/hypervisor/private_libvirtd.hpp"

namespace penumbra::hypervisor::contract {
namespace {
std::optional<PrivateLibvirtd> the_libvirtd;
}  // namespace

PrivateLibvirtd& private_libvirtd() {
    ASSERT(the_libvirtd.has_value());
    return *the_libvirtd;
}

}  // namespace penumbra::hypervisor::contract

int main(int count, char** arguments) {
    // A libvirtd that dies is an error of the call, not the end of this process.
    static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
    namespace contract = penumbra::hypervisor::contract;
    return contract::PrivateLibvirtd::run_isolated([&] {
        ::testing::InitGoogleTest(&count, arguments);
        contract::the_libvirtd.emplace();
        const int status = RUN_ALL_TESTS();
        contract::the_libvirtd.reset();
        return status;
    });
}
