#include "hypervisor/libvirt/checkpoints.hpp"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "hypervisor/backup_xml.hpp"
#include "hypervisor/checkpoint_chain.hpp"
#include "hypervisor/domain_xml.hpp"
#include "hypervisor/image_bitmaps.hpp"

namespace penumbra::hypervisor::libvirt {

namespace {

std::string doing(virDomainPtr domain, const CheckpointId& checkpoint) {
    return fmt::format("deleting checkpoint {} of VM {}", checkpoint.text(), virDomainGetName(domain));
}

/// Its disks that may keep bitmaps in an image of this host.
Result<std::vector<model::DiskFacts>> disks_with_bitmaps(virDomainPtr domain) {
    std::vector<model::DiskFacts> disks = TRY(facts_in(TRY(xml_of(domain, Configuration::kCurrent)))).disks;
    std::erase_if(disks, [](const auto& disk) { return disk.format != "qcow2" || !disk.source.starts_with('/'); });
    return disks;
}

Result<void> delete_strays_of_running(virDomainPtr domain, const CheckpointId& name);

Result<void> delete_of_running(virDomainPtr domain, virDomainCheckpointPtr checkpoint) {
    if (virDomainCheckpointDelete(checkpoint, 0) == 0) return {};
    const CheckpointId name(virDomainCheckpointGetName(checkpoint));
    const Error reason = fail_libvirt(doing(domain, name)).value();
    const CheckpointFacts facts = TRY(facts_of(checkpoint));
    // A bitmap that a crash of QEMU took along cannot be removed; what libvirt remembers of it can.
    const auto gone = [](const auto& disk) { return !disk.second.has_value(); };
    if (!facts.dirty.empty() && std::ranges::none_of(facts.dirty, gone)) return tl::unexpected(reason);
    if (virDomainCheckpointDelete(checkpoint, VIR_DOMAIN_CHECKPOINT_DELETE_METADATA_ONLY) < 0)
        return fail_libvirt(doing(domain, name));
    if (facts.dirty.size() <= 1) return {};
    return delete_strays_of_running(domain, name);  // one disk's is gone, another's may stand
}

Result<CheckpointHandle> define_again(virDomainPtr domain, const CheckpointFacts& known) {
    CheckpointHandle again(virDomainCheckpointCreateXML(domain, redefined_checkpoint_xml(known).c_str(),
                                                        VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE));
    if (again == nullptr)
        return fail_libvirt(
            fmt::format("taking up checkpoint {} of VM {} again", known.name.text(), virDomainGetName(domain)));
    return again;
}

/// Bitmaps of a name that libvirt has no checkpoint of: QEMU takes them out for a checkpoint only, so each disk is
/// given one again. It need not have the bitmap.
Result<void> delete_strays_of_running(virDomainPtr domain, const CheckpointId& name) {
    const std::vector<model::DiskFacts> disks = TRY(disks_with_bitmaps(domain));
    for (const model::DiskFacts& disk : disks) {
        const CheckpointHandle again =
            TRY(define_again(domain, {.name = name, .created_s = 0, .dirty = {{disk.target, {}}}}));
        TRY(delete_of_running(domain, again.get()));
    }
    return {};
}

Result<void> check_ours(virDomainPtr domain, const CheckpointId& checkpoint) {
    if (is_ours(checkpoint)) return {};
    return fail(ErrorCode::kPermissionDenied,
                fmt::format("checkpoint {} of VM {} is not ours: whoever made it deletes it", checkpoint.text(),
                            virDomainGetName(domain)));
}

Result<void> delete_of_stopped(virDomainPtr domain, const CheckpointId& name) {
    const std::vector<model::DiskFacts> disks = TRY(disks_with_bitmaps(domain));
    for (const model::DiskFacts& disk : disks) {
        const std::vector<ImageBitmaps> chain = TRY(bitmaps_in_chain(disk.source));
        for (const ImageBitmaps& image : chain)
            if (std::ranges::find(image.names, name.text()) != image.names.end()) TRY(remove_bitmap(image.image, name));
    }
    return forget_metadata(domain, name);
}

/// Appends what the images have of ours and libvirt does not.
Result<void> append_strays(virDomainPtr domain, std::vector<CheckpointFacts>& checkpoints) {
    const std::vector<model::DiskFacts> disks = TRY(disks_with_bitmaps(domain));
    for (const model::DiskFacts& disk : disks) {
        const std::vector<ImageBitmaps> chain = TRY(bitmaps_in_chain(disk.source));
        for (const ImageBitmaps& image : chain)
            for (const std::string& text : image.names) {
                const auto name = CheckpointId::parse(text);
                if (!name.has_value() || !is_ours(*name)) continue;
                auto known = std::ranges::find(checkpoints, *name, &CheckpointFacts::name);
                if (known == checkpoints.end())
                    known = checkpoints.insert(known, {.name = *name, .created_s = 0, .dirty = {}, .stray = true});
                if (known->stray) known->dirty.emplace(disk.target, std::nullopt);
            }
    }
    return {};
}

}  // namespace

CheckpointHandle find_checkpoint(virDomainPtr domain, const CheckpointId& name) {
    return CheckpointHandle(virDomainCheckpointLookupByName(domain, name.text().c_str(), 0));
}

Result<CheckpointFacts> facts_of(virDomainCheckpointPtr checkpoint) {
    // Sizes are asked of QEMU, so they fail as a whole while the domain is off: the facts then name the disks alone.
    TextHandle xml(virDomainCheckpointGetXMLDesc(checkpoint,
                                                 VIR_DOMAIN_CHECKPOINT_XML_NO_DOMAIN | VIR_DOMAIN_CHECKPOINT_XML_SIZE));
    if (xml == nullptr) xml.reset(virDomainCheckpointGetXMLDesc(checkpoint, VIR_DOMAIN_CHECKPOINT_XML_NO_DOMAIN));
    if (xml == nullptr)
        return fail_libvirt(fmt::format("reading checkpoint {}", virDomainCheckpointGetName(checkpoint)));
    return checkpoint_in(xml.get());
}

Result<std::vector<CheckpointFacts>> list_checkpoints(virDomainPtr domain) {
    virDomainCheckpointPtr* list = nullptr;
    const int count = virDomainListAllCheckpoints(domain, &list, VIR_DOMAIN_CHECKPOINT_LIST_TOPOLOGICAL);
    if (count < 0) return fail_libvirt(fmt::format("listing the checkpoints of VM {}", virDomainGetName(domain)));
    const std::vector<CheckpointHandle> handles(list, list + count);
    std::free(static_cast<void*>(list));
    std::vector<CheckpointFacts> checkpoints;
    for (const CheckpointHandle& handle : handles)
        checkpoints.push_back(TRY(facts_of(handle.get())));
    TRY(append_strays(domain, checkpoints));
    return checkpoints;
}

Result<void> forget_metadata(virDomainPtr domain, const CheckpointId& checkpoint) {
    TRY(check_ours(domain, checkpoint));
    const CheckpointHandle handle = find_checkpoint(domain, checkpoint);
    if (handle == nullptr && failed_with(VIR_ERR_NO_DOMAIN_CHECKPOINT)) return {};
    if (handle == nullptr || virDomainCheckpointDelete(handle.get(), VIR_DOMAIN_CHECKPOINT_DELETE_METADATA_ONLY) < 0)
        return fail_libvirt(doing(domain, checkpoint));
    return {};
}

Result<CheckpointFacts> redefine(virDomainPtr domain, const CheckpointFacts& known) {
    TRY(check_ours(domain, known.name));
    CheckpointHandle handle = find_checkpoint(domain, known.name);
    if (handle == nullptr && !failed_with(VIR_ERR_NO_DOMAIN_CHECKPOINT))
        return fail_libvirt(fmt::format("looking for checkpoint {}", known.name.text()));
    if (handle == nullptr) handle = TRY(define_again(domain, known));
    return facts_of(handle.get());
}

Result<void> delete_with_bitmaps(virDomainPtr domain, const CheckpointId& checkpoint) {
    TRY(check_ours(domain, checkpoint));
    if (!TRY(is_running(domain))) return delete_of_stopped(domain, checkpoint);
    const CheckpointHandle handle = find_checkpoint(domain, checkpoint);
    if (handle != nullptr) return delete_of_running(domain, handle.get());
    if (!failed_with(VIR_ERR_NO_DOMAIN_CHECKPOINT)) return fail_libvirt(doing(domain, checkpoint));
    return delete_strays_of_running(domain, checkpoint);
}

}  // namespace penumbra::hypervisor::libvirt
