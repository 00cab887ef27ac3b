#include "hypervisor/shadow_domain.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <pugixml.hpp>

#include "hypervisor/domain_xml.hpp"
#include "hypervisor/xml_whitelist.hpp"
#include "tests/support/golden.hpp"
#include "tests/support/result_matchers.hpp"

namespace penumbra::hypervisor {
namespace {

using testing::fails;
using testing::is_ok;

std::vector<std::string> golden_domains() {
    std::vector<std::string> names;
    for (const auto& file : std::filesystem::directory_iterator(testing::golden_path("shadow_domain")))
        if (file.path().extension() == ".xml") names.push_back(file.path().stem());
    std::ranges::sort(names);
    return names;
}

std::string production(const std::string& name) {
    return testing::read_golden("shadow_domain/" + name + ".xml");
}

/// A place with all that this domain needs, as an agent would make it.
ShadowPlace place_for(const std::string& xml) {
    ShadowPlace place{.shadow = ShadowId("s1"), .arm = ArmId("control"), .scale = 0.5, .partition = "/penumbra"};
    const model::VmFacts facts = facts_in(xml).value();
    for (const model::DiskFacts& disk : facts.disks)
        place.disks[disk.target] = "/shadows/s1/control/" + disk.target + ".qcow2";
    for (const model::NicFacts& nic : facts.nics)
        place.taps.emplace(nic.mac, fmt::format("pt-{}", place.taps.size()));
    const BootFiles files = boot_files_in(xml).value();
    if (!files.kernel.empty()) place.copies.kernel = "/shadows/s1/control/kernel";
    if (!files.initrd.empty()) place.copies.initrd = "/shadows/s1/control/initrd";
    if (!files.loader.empty()) place.copies.loader = "/shadows/s1/control/loader";
    if (!files.nvram.empty()) place.copies.nvram = "/shadows/s1/control/nvram";
    return place;
}

void visit(const pugi::xml_node& node, const std::string& path,
           const std::function<void(const std::string&, const pugi::xml_node&)>& look) {
    for (const pugi::xml_node& child : node.children()) {
        if (child.type() != pugi::node_element) continue;
        const std::string below = path.empty() ? child.name() : fmt::format("{}/{}", path, child.name());
        look(below, child);
        visit(child, below, look);
    }
}

/// Every path of the host that a domain names.
std::set<std::string> host_paths(const std::string& xml) {
    pugi::xml_document document;
    EXPECT_TRUE(document.load_string(xml.c_str()));
    std::set<std::string> paths;
    const auto take = [&](std::string_view value) {
        if (value.starts_with('/')) paths.emplace(value);
    };
    visit(document, "", [&](const std::string&, const pugi::xml_node& node) {
        take(node.text().get());
        for (const pugi::xml_attribute& attribute : node.attributes())
            take(attribute.value());
    });
    return paths;
}

class Shadow : public ::testing::TestWithParam<std::string> {};

TEST_P(Shadow, IsWhatItWasBefore) {
    const std::string xml = production(GetParam());
    const auto shadow = shadow_domain(xml, place_for(xml));
    ASSERT_TRUE(is_ok(shadow));
    std::string out = shadow->xml;
    for (const std::string& gap : shadow->gaps)
        out += "<!-- " + gap + " -->\n";
    const std::string file = "shadow_domain/" + GetParam() + ".out";
    if (testing::accepting_golden()) {
        std::ofstream(testing::golden_path(file)) << out;
        GTEST_SKIP() << "written";
    }
    EXPECT_EQ(out, testing::read_golden(file));
}

TEST_P(Shadow, NamesNoPathOfProductionAndNoBridge) {
    const std::string xml = production(GetParam());
    const ShadowPlace place = place_for(xml);
    const auto shadow = shadow_domain(xml, place);
    ASSERT_TRUE(is_ok(shadow));
    for (const std::string& path : host_paths(shadow->xml)) {
        const bool ours = path.starts_with("/shadows/s1/control/") || path == place.partition;
        EXPECT_TRUE(ours || path.starts_with("/usr/share/")) << path;
    }
    for (const char* word : {"br0", "virbr0", "vnet3", "/dev/", "/run/", "passwd", "secret"}) {
        const std::size_t at = shadow->xml.find(word);
        EXPECT_TRUE(at == std::string::npos || shadow->xml.substr(at - 5, 5) == "root=") << word;
    }
}

TEST_P(Shadow, HasNothingOutsideTheWhitelist) {
    static const std::set<std::string> kOurs{"name",
                                             "uuid",
                                             "genid",
                                             "metadata",
                                             "metadata/penumbra:shadow",
                                             "memory",
                                             "currentMemory",
                                             "vcpu",
                                             "cputune",
                                             "cputune/period",
                                             "cputune/quota",
                                             "cputune/vcpusched",
                                             "resource",
                                             "resource/partition",
                                             "os/kernel",
                                             "os/initrd",
                                             "os/nvram",
                                             "cpu/topology",
                                             "on_crash",
                                             "devices",
                                             "disk",
                                             "disk/source",
                                             "disk/iotune",
                                             "interface",
                                             "interface/target",
                                             "serial",
                                             "console",
                                             "channel",
                                             "rng/backend",
                                             "tpm/backend"};
    const std::string xml = production(GetParam());
    const auto shadow = shadow_domain(xml, place_for(xml));
    ASSERT_TRUE(is_ok(shadow));
    pugi::xml_document document;
    ASSERT_TRUE(document.load_string(shadow->xml.c_str()));
    visit(document.child("domain"), "", [&](std::string path, const pugi::xml_node&) {
        if (path.starts_with("devices/")) path.erase(0, std::string_view("devices/").size());
        EXPECT_TRUE(is_whitelisted(path) || kOurs.contains(path) || path.starts_with("disk/iotune/")) << path;
    });
    EXPECT_FALSE(document.child("domain").attribute("id"));
}

TEST_P(Shadow, KeepsTheCardsAndChangesTheIdentity) {
    const std::string xml = production(GetParam());
    const model::VmFacts before = facts_in(xml).value();
    const ShadowPlace place = place_for(xml);
    const auto shadow = shadow_domain(xml, place);
    ASSERT_TRUE(is_ok(shadow));
    const model::VmFacts after = facts_in(shadow->xml).value();
    EXPECT_TRUE(*is_shadow(shadow->xml));
    EXPECT_EQ(after.name, "s1-control-" + before.name);
    EXPECT_NE(after.vm, before.vm);
    EXPECT_EQ(after.vm, shadow->vm);
    EXPECT_EQ(after.vcpus, (before.vcpus + 1) / 2);
    EXPECT_LE(after.memory, before.memory);
    EXPECT_EQ(after.memory, shadow->memory);
    ASSERT_EQ(after.nics.size(), before.nics.size());
    for (std::size_t i = 0; i < after.nics.size(); ++i) {
        EXPECT_EQ(after.nics[i].mac, before.nics[i].mac);
        EXPECT_TRUE(after.nics[i].target.starts_with("pt-")) << after.nics[i].target;
        EXPECT_EQ(after.nics[i].network, "");
    }
    EXPECT_EQ(after.disks.size(), before.disks.size());
    EXPECT_NE(shadow->xml.find("<vcpusched vcpus=\"0"), std::string::npos);
    EXPECT_NE(shadow->xml.find("scheduler=\"idle\""), std::string::npos);
}

TEST_P(Shadow, OfAShadowIsThatShadowAgain) {
    const std::string xml = production(GetParam());
    ShadowPlace place = place_for(xml);
    const auto once = shadow_domain(xml, place);
    ASSERT_TRUE(is_ok(once));
    place.scale = 1;
    const auto twice = shadow_domain(once->xml, place);
    ASSERT_TRUE(is_ok(twice));
    // what a shadow has is all on the whitelist: nothing more is left out of it, but what is never kept (pinning, TPM)
    for (const std::string& gap : twice->gaps)
        EXPECT_EQ(gap.find("not among"), std::string::npos) << gap;
}

INSTANTIATE_TEST_SUITE_P(Golden, Shadow, ::testing::ValuesIn(golden_domains()),
                         [](const auto& domain) { return domain.param; });

TEST(ShadowDomain, ScalesCpuAndMemoryAndSaysSo) {
    const std::string xml = production("direct_kernel");
    ShadowPlace place = place_for(xml);
    const auto half = shadow_domain(xml, place);
    ASSERT_TRUE(is_ok(half));
    EXPECT_EQ(half->vcpus, 1U);
    EXPECT_EQ(half->memory, Bytes(384ULL << 20U));
    EXPECT_EQ(half->xml.find("<quota>"), std::string::npos) << "one whole CPU of two is half";
    place.scale = 0.25;
    const auto quarter = shadow_domain(xml, place);
    ASSERT_TRUE(is_ok(quarter));
    EXPECT_NE(quarter->xml.find("<quota>50000</quota>"), std::string::npos);
    EXPECT_EQ(quarter->memory, Bytes(256ULL << 20U)) << "the least that a system needs";
    EXPECT_EQ(
        std::ranges::count_if(quarter->gaps, [](const auto& gap) { return gap.find("at the least") != gap.npos; }), 1);
    place.scale = 1;
    const auto whole = shadow_domain(xml, place);
    ASSERT_TRUE(is_ok(whole));
    EXPECT_EQ(whole->vcpus, 2U);
    EXPECT_EQ(whole->xml.find("<quota>"), std::string::npos);
    EXPECT_TRUE(whole->gaps.empty()) << whole->gaps.front();
    for (const double scale : {0.0, -1.0, 1.5, std::numeric_limits<double>::quiet_NaN()}) {
        place.scale = scale;
        EXPECT_TRUE(fails(shadow_domain(xml, place), ErrorCode::kInvalidArgument, "scale")) << scale;
    }
}

TEST(ShadowDomain, ProductionsOwnLimitIsPartOfItsSize) {
    const std::string xml = production("numa_pinned");  // 3 vCPUs, each held to half a CPU
    const auto shadow = shadow_domain(xml, place_for(xml));
    ASSERT_TRUE(is_ok(shadow));
    EXPECT_EQ(shadow->vcpus, 2U);
    EXPECT_NE(shadow->xml.find("<quota>37500</quota>"), std::string::npos);  // 0.75 CPUs on two
}

TEST(ShadowDomain, RefusesWhatItHasNoPlaceFor) {
    const std::string xml = production("direct_kernel");
    ShadowPlace place = place_for(xml);
    place.disks.clear();
    EXPECT_TRUE(fails(shadow_domain(xml, place), ErrorCode::kInvalidArgument, "vda"));
    place = place_for(xml);
    place.taps.clear();
    EXPECT_TRUE(fails(shadow_domain(xml, place), ErrorCode::kInvalidArgument, "52:54:00:00:10:00"));
    place = place_for(xml);
    place.copies = {};
    EXPECT_TRUE(fails(shadow_domain(xml, place), ErrorCode::kInvalidArgument, "kernel"));
    EXPECT_TRUE(fails(shadow_domain("<domain type='kvm'>", place), ErrorCode::kInvalidArgument));
}

TEST(ShadowDomain, RefusesWhatWouldBeAnotherMachine) {
    const std::string xml = production("direct_kernel");
    const ShadowPlace place = place_for(xml);
    const auto with = [&](std::string_view what, std::string_view instead) {
        std::string changed = xml;
        const std::size_t at = changed.find(what);
        EXPECT_NE(at, std::string::npos);
        return changed.replace(at, what.size(), instead);
    };
    EXPECT_TRUE(fails(shadow_domain(with("<os>", "<launchSecurity type='sev'/><os>"), place), ErrorCode::kUnsupported,
                      "encrypted"));
    EXPECT_TRUE(fails(shadow_domain(with("'qemu'", "'lxc'"), place), ErrorCode::kUnsupported));
    EXPECT_TRUE(fails(shadow_domain(with(">hvm<", ">xenpv<"), place), ErrorCode::kUnsupported));
}

TEST(ShadowDomain, IdentityIsTheSameWheneverAsked) {
    const VmId vm("5e0f3c1a-7c1d-4a57-9b52-0a1b2c3d4e5f");
    const VmId clone = shadow_vm_id(ShadowId("s1"), ArmId("control"), vm);
    EXPECT_EQ(clone, shadow_vm_id(ShadowId("s1"), ArmId("control"), vm));
    EXPECT_NE(clone, shadow_vm_id(ShadowId("s1"), ArmId("treated"), vm));
    ASSERT_EQ(clone.text().size(), 36U);
    EXPECT_EQ(clone.text()[14], '8');
}

}  // namespace
}  // namespace penumbra::hypervisor
