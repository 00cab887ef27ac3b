// A person's file, or one that only looks like it: read by every reader; a refusal names a place in the file.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/result.hpp"
#include "proto/spec/policy_file.hpp"
#include "proto/spec/rollout_file.hpp"
#include "proto/spec/settings_file.hpp"
#include "proto/spec/trial_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {
template <class T>
void check(const penumbra::Result<T>& read) {
    if (read.has_value()) return;
    ASSERT(read.error().code == penumbra::ErrorCode::kInvalidArgument);
    ASSERT(read.error().message.starts_with("f:"));
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace spec = penumbra::spec;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    check(spec::read_trial("f", text));
    check(spec::read_rollout("f", text));
    check(spec::read_policy("f", text));
    check(spec::read_coordinator_settings("f", text));
    check(spec::read_agent_settings("f", text));
    return 0;
}
