#include "agent/clean_flow.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/agent/host_on_fakes.hpp"

namespace penumbra::agent {
namespace {

// A copy at work writes a replica and begins a checkpoint until it has ended: only then is either taken away.
TEST(CleanFlow, TakesNothingACopyMakesBeforeTheCopyHasEnded) {
    Host host;
    NewsBox news;
    std::vector<std::string> done;
    const auto step = [&done](const char* name) {
        return [&done, name] {
            done.emplace_back(name);
            return Result<void>();
        };
    };
    CleanFlow flow({.inventory = host.hypervisor,
                    .backup = host.hypervisor,
                    .end_observation = step("observation"),
                    .remove_shadows = step("shadows"),
                    .lift_effects = step("effects"),
                    .await_copies = step("copies"),
                    .checkpoint_aside =
                        [&done](const VmId&) {
                            done.emplace_back("checkpoint");
                            return Result<std::optional<CheckpointId>>(std::nullopt);
                        },
                    .remove_replicas = step("replicas"),
                    .clock = host.clock,
                    .tell = news.tell()});
    flow.execute({.id = CommandId("clean"), .operation = model::CleanHost{}});
    ASSERT_TRUE(news.end_of("clean").has_value());
    EXPECT_EQ(news.end_of("clean")->state, model::CommandState::kSucceeded) << news.end_of("clean")->message;
    EXPECT_EQ(done,
              (std::vector<std::string>{"observation", "shadows", "effects", "copies", "checkpoint", "replicas"}));
}

}  // namespace
}  // namespace penumbra::agent
