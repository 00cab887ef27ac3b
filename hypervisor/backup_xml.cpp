#include "hypervisor/backup_xml.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <pugixml.hpp>

#include "hypervisor/xml_tree.hpp"

namespace penumbra::hypervisor {

namespace {

pugi::xml_node append_disk(pugi::xml_node disks, const std::string& name) {
    pugi::xml_node disk = disks.append_child("disk");
    set_attribute(disk, "name", name);
    return disk;
}

const BackupDisk* find(const BackupRequest& request, const std::string& disk) {
    const auto found = std::ranges::find(request.disks, disk, &BackupDisk::disk);
    return found == request.disks.end() ? nullptr : &*found;
}

}  // namespace

std::string backup_xml(const BackupRequest& request, const std::vector<std::string>& domain_disks) {
    pugi::xml_document document;
    pugi::xml_node backup = document.append_child("domainbackup");
    set_attribute(backup, "mode", "pull");
    const pugi::xml_node server = backup.append_child("server");
    set_attribute(server, "transport", "unix");
    set_attribute(server, "socket", request.socket.string());
    const pugi::xml_node disks = backup.append_child("disks");
    for (const std::string& name : domain_disks) {
        pugi::xml_node disk = append_disk(disks, name);
        const BackupDisk* wanted = find(request, name);
        set_attribute(disk, "backup", wanted == nullptr ? "no" : "yes");
        if (wanted == nullptr) continue;
        set_attribute(disk, "type", "file");
        // Each disk says its own mode: a disk added since must not make the whole cut fail.
        set_attribute(disk, "backupmode", wanted->since.empty() ? "full" : "incremental");
        if (!wanted->since.empty()) set_attribute(disk, "incremental", wanted->since.text());
        set_attribute(disk.append_child("scratch"), "file", wanted->scratch.string());
    }
    return text_of(document);
}

std::string checkpoint_xml(const BackupRequest& request, const std::vector<std::string>& domain_disks) {
    pugi::xml_document document;
    pugi::xml_node checkpoint = document.append_child("domaincheckpoint");
    append_text(checkpoint, "name", request.checkpoint.text());
    const pugi::xml_node disks = checkpoint.append_child("disks");
    for (const std::string& name : domain_disks) {
        set_attribute(append_disk(disks, name), "checkpoint", find(request, name) == nullptr ? "no" : "bitmap");
    }
    return text_of(document);
}

std::string redefined_checkpoint_xml(const CheckpointFacts& facts) {
    pugi::xml_document document;
    pugi::xml_node checkpoint = document.append_child("domaincheckpoint");
    append_text(checkpoint, "name", facts.name.text());
    append_text(checkpoint, "creationTime", fmt::to_string(facts.created_s));
    const pugi::xml_node disks = checkpoint.append_child("disks");
    for (const auto& [disk, dirty] : facts.dirty)
        set_attribute(append_disk(disks, disk), "checkpoint", "bitmap");
    return text_of(document);
}

Result<BackupServer> backup_server_in(std::string_view xml) {
    pugi::xml_document document;
    const pugi::xml_node backup = TRY(parse_root(document, xml, "domainbackup"));
    if (std::string_view(backup.attribute("mode").as_string("push")) != "pull")
        return fail(ErrorCode::kUnsupported, "the backup job is a push-mode one, which serves nothing");
    BackupServer server{
        .socket = backup.child("server").attribute("socket").as_string(), .exports = {}, .scratches = {}};
    for (const pugi::xml_node& disk : backup.child("disks").children("disk")) {
        if (std::string_view(disk.attribute("backup").as_string()) != "yes") continue;
        server.scratches.emplace_back(disk.child("scratch").attribute("file").as_string());
        const char* name = disk.attribute("name").as_string();
        const bool incremental = std::string_view(disk.attribute("backupmode").as_string("full")) == "incremental";
        // libvirt's default names: formatbackup.html, "exportname" and "exportbitmap"
        server.exports.push_back(
            {.disk = name,
             .name = disk.attribute("exportname").as_string(name),
             .bitmap = !incremental
                           ? std::string()
                           : disk.attribute("exportbitmap").as_string(fmt::format("backup-{}", name).c_str())});
    }
    return server;
}

Result<CheckpointFacts> checkpoint_in(std::string_view xml) {
    pugi::xml_document document;
    const pugi::xml_node checkpoint = TRY(parse_root(document, xml, "domaincheckpoint"));
    CheckpointFacts facts{.name = CheckpointId(checkpoint.child_value("name")),
                          .created_s = checkpoint.child("creationTime").text().as_llong(),
                          .dirty = {}};
    for (const pugi::xml_node& disk : checkpoint.child("disks").children("disk")) {
        if (std::string_view(disk.attribute("checkpoint").as_string()) != "bitmap") continue;
        // No size: QEMU has no such bitmap, or has it marked as inconsistent.
        const pugi::xml_attribute size = disk.attribute("size");
        facts.dirty[disk.attribute("name").as_string()] = size ? std::optional(Bytes(size.as_ullong())) : std::nullopt;
    }
    return facts;
}

}  // namespace penumbra::hypervisor
