#!/usr/bin/env python3
"""Writes manifests/demo/azure.json: the Azure that `galleryd demo` starts from, wrong in every way the daemon mends or refuses.

    make_demo_estate.py [--check] [SOURCE_ROOT]      --check only compares

What is wrong, and why, stands behind each version below; manifests/demo/README.md tells it as a story."""
import json
import os
import sys

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
CONSUMERS = "00000000-0000-0000-0000-000000000002"
GROUP = "rg-golden-images"
CC, CE, EUS = "Canada Central", "Canada East", "East US"   # as Azure prints target regions
SHORT = {CC: "canadacentral", CE: "canadaeast", EUS: "eastus"}


def group_id(group):
    return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}"


def gallery_id(gallery, group=GROUP):
    return f"{group_id(group)}/providers/Microsoft.Compute/galleries/{gallery}"


def owner(kind, name):
    return {"galleryd-owner": f"demo/{kind}/images/{name}"}


def resource_group(name, location, tags):
    return {"id": group_id(name), "name": name, "type": "Microsoft.Resources/resourceGroups", "location": location, "tags": tags,
            "properties": {"provisioningState": "Succeeded"}}


def gallery(name, location, description, tags, group=GROUP):
    return {"name": name, "id": gallery_id(name, group), "type": "Microsoft.Compute/galleries", "location": location, "tags": tags,
            "properties": {"description": description, "identifier": {"uniqueName": f"{SUBSCRIPTION}-{name.upper()}"},
                           "provisioningState": "Succeeded"}}


def managed_image(name, location, os_type="Linux", size=30, generation="V2", os_state="Generalized"):
    return {"name": name, "id": f"{group_id('rg-packer')}/providers/Microsoft.Compute/images/{name}", "type": "Microsoft.Compute/images",
            "location": location, "tags": {"built-by": "packer"},
            "properties": {"storageProfile": {"osDisk": {"osType": os_type, "osState": os_state, "diskSizeGB": size, "caching": "ReadWrite",
                                                         "storageAccountType": "Standard_LRS",
                                                         "managedDisk": {"id": f"{group_id('rg-packer')}/providers/Microsoft.Compute/disks/{name}"}},
                                              "dataDisks": [], "zoneResilient": False},
                           "hyperVGeneration": generation, "provisioningState": "Succeeded"}}


def definition(in_gallery, name, triple, os_type="Linux", os_state="Generalized", generation="V2", architecture="x64", description="", tags=None,
               features=None, location="canadacentral", group=GROUP, **more):
    properties = {"hyperVGeneration": generation, "architecture": architecture, "osType": os_type, "osState": os_state}
    if description:
        properties["description"] = description
    if features:
        properties["features"] = [{"name": key, "value": value} for key, value in features.items()]
    properties.update(more)
    properties["identifier"] = dict(zip(("publisher", "offer", "sku"), triple))
    properties["provisioningState"] = "Succeeded"
    return {"name": name, "id": f"{gallery_id(in_gallery, group)}/images/{name}", "type": "Microsoft.Compute/galleries/images", "location": location,
            "tags": tags if tags is not None else {}, "properties": properties}


def version(of, name, published, regions, size=30, tags=None, state="Succeeded", excluded=False, end_of_life=None, failed=None, source=None):
    """regions: {display name: replicas}; failed: {display name: detail} of regions whose replication failed."""
    profile = {"targetRegions": [{"name": region, "regionalReplicaCount": replicas, "storageAccountType": "Standard_LRS"} for region, replicas in regions.items()],
               "replicaCount": 1, "excludeFromLatest": excluded, "publishedDate": f"{published}T03:12:46.4648477+00:00"}
    if end_of_life:
        profile["endOfLifeDate"] = f"{end_of_life}T00:00:00+00:00"
    profile["storageAccountType"] = "Standard_LRS"
    default = f"{group_id('rg-packer')}/providers/Microsoft.Compute/images/{of['name']}-{name}"   # deleted since: Azure does not mind
    disk = {"hostCaching": "ReadWrite", "source": {}}
    if state != "Failed":
        disk = {"sizeInGB": size, **disk}
    summary = [{"region": SHORT[region], "state": "Failed" if failed and region in failed else "Completed",
                **({"progress": 0, "details": failed[region]} if failed and region in failed else {"progress": 100})} for region in regions]
    return {"name": name, "id": f"{of['id']}/versions/{name}", "type": "Microsoft.Compute/galleries/images/versions", "location": of["location"],
            "tags": {"built-by": "packer"} if tags is None else tags,
            "properties": {"publishingProfile": profile, "storageProfile": {"source": {"id": source or default}, "osDiskImage": disk},
                           "safetyProfile": {"reportedForPolicyViolation": False, "allowDeletionOfReplicatedLocations": False},
                           "replicationStatus": {"aggregatedState": "Failed" if failed else "Completed", "summary": summary},
                           "provisioningState": state}}


TRUSTED = {"SecurityType": "TrustedLaunchSupported"}
PACKER = {"built-by": "packer"}


def ubuntu_2204(name="ubuntu-2204"):
    image = definition("golden", name, ("Contoso", "Ubuntu", "22_04-lts-gen2"), description="Ubuntu 22.04 LTS, CIS level 1", features=TRUSTED,
                       tags=owner("ImageDefinition", name))
    return [image,
            version(image, "1.0.4", "2024-12-05", {CC: 1}, tags={"built-by": "packer", "keep": None}),     # old; a null tag says keep
            version(image, "1.0.5", "2025-01-16", {CC: 1}),                                                # old: retention names it
            version(image, "1.0.6", "2025-03-20", {CC: 1},
                    tags={"built-by": "packer", "galleryd-hold": "incident 4711: evidence, ask security@contoso.example"}),   # old, but held
            version(image, "1.0.7", "2025-09-11", {CC: 1}),
            version(image, "1.0.8", "2025-12-04", {CC: 1, CE: 1}),                                         # in a region too many for the archive
            version(image, "1.0.9", "2026-03-12", {CC: 1, CE: 1}),                                         # text order would call this the newest
            version(image, "1.0.10", "2026-06-18", {CC: 1, CE: 1}),
            version(image, "1.0.11", "2026-08-27", {CC: 1}),                                               # Canada East is missing
            version(image, "1.0.12", "2026-10-29", {CC: 1, CE: 1})]                                        # the newest, and short of replicas


def ubuntu_2404(name="ubuntu-2404"):
    image = definition("golden", name, ("Contoso", "Ubuntu", "24_04-lts-gen2"), description="Ubuntu 24.04", features=TRUSTED,   # description differs
                       tags=owner("ImageDefinition", name), recommended={"vCPUs": {"min": 2, "max": 64}})                       # memory range missing
    mine = {"built-by": "packer", **owner("ImageVersion", f"{name}-1.7.0")}
    return [image,
            version(image, "1.2.0", "2025-02-06", {CC: 1}, tags={"built-by": "packer", "keep": "true"}),   # old, protected by the policy's tag
            version(image, "1.3.0", "2025-07-24", {CC: 1}),
            version(image, "1.4.0", "2025-11-13", {CC: 1}),
            version(image, "1.5.0", "2026-03-05", {CC: 1, CE: 1, EUS: 1}),                                 # East US: nobody asked for it
            version(image, "1.6.0", "2026-07-02", {CC: 1, CE: 1}, failed={CE: "Failed with internal server error."}),   # a failed region
            version(image, "1.7.0", "2026-09-24", {CC: 1}, tags=mine,
                    source=f"{group_id('rg-packer')}/providers/Microsoft.Compute/images/packer-1127"),     # declared: wants CC x3, CE x2
            version(image, "1.7.1", "2026-11-12", {CC: 1}, state="Failed", failed={CC: "Failed with internal server error."})]   # never became usable


def rhel_9(name="rhel-9"):
    image = definition("golden", name, ("Contoso", "RHEL", "9-gen2"), description="Red Hat Enterprise Linux 9, CIS level 1", features=TRUSTED, tags={})   # not ours yet
    return [image,
            version(image, "9.2.0", "2024-12-19", {CC: 1}, end_of_life="2026-06-30"),                      # expired: end of life passed by months
            version(image, "9.3.0", "2025-06-05", {CC: 1}, end_of_life="2026-12-31"),
            version(image, "9.4.0", "2025-11-27", {CC: 1, CE: 1}),
            version(image, "9.4.1", "2026-04-16", {CC: 1, CE: 1}),
            version(image, "9.5.0", "2026-07-16", {CC: 1, CE: 1}),
            version(image, "9.6.0", "2026-10-22", {CC: 3, CE: 2})]


def windows_2022(name="windows-2022"):
    image = definition("golden", name, ("Contoso", "WindowsServer", "2022-datacenter"), os_type="Windows", generation="V1",   # declared V2: cannot change
                       description="Windows Server 2022, hardened", tags=owner("ImageDefinition", name))
    return [image] + [version(image, number, day, regions, size=127, excluded=excluded) for number, day, regions, excluded in [
        ("2022.1.0", "2025-01-14", {CC: 1}, False), ("2022.4.0", "2025-04-08", {CC: 1}, False), ("2022.9.0", "2025-09-09", {CC: 1}, False),
        ("2022.12.0", "2025-12-09", {CC: 1}, False), ("2022.13.0", "2026-05-12", {CC: 1, CE: 1}, False),
        ("2022.14.0", "2026-08-11", {CC: 1, CE: 1}, True), ("2022.15.0", "2026-11-10", {CC: 3, CE: 2}, False)]]   # 14 excluded by hand


def windows_2025(name="windows-2025"):
    image = definition("golden", name, ("Contoso", "WindowsServer", "2025-datacenter-g2"), os_type="Windows", features=TRUSTED,
                       description="Windows Server 2025, hardened", tags={**owner("ImageDefinition", name), "cost-centre": "4000"})   # cost centre: theirs
    return [image] + [version(image, number, day, regions, size=127) for number, day, regions in [
        ("2025.1.0", "2025-12-16", {CC: 1, CE: 1}), ("2025.2.0", "2026-04-14", {CC: 1, CE: 1}),
        ("2025.3.0", "2026-08-18", {CC: 1, CE: 1}), ("2025.4.0", "2026-11-10", {CC: 1})]]                  # low replicas, missing region


def jumpbox(name="jumpbox"):
    image = definition("golden", name, ("Contoso", "Jumpbox", "24_04-specialized"), os_state="Specialized", features=TRUSTED,
                       description="Administration host, keeps its machine identity", tags=owner("ImageDefinition", name))
    vm = f"{group_id('rg-packer')}/providers/Microsoft.Compute/virtualMachines/jumpbox-build"
    made = [version(image, "1.0.0", "2025-10-02", {CC: 1}, source=vm), version(image, "1.1.0", "2026-06-25", {CC: 2, CE: 1}, source=vm)]
    for one in made:
        one["properties"]["storageProfile"]["source"] = {"id": vm, "virtualMachineId": vm}
    return [image] + made


def nightly(name="ubuntu-2404-nightly"):
    image = definition("golden", name, ("Contoso", "Ubuntu", "24_04-nightly"), description="Ubuntu 24.04, every night", features=TRUSTED,
                       tags=owner("ImageDefinition", name))
    # The 14th went to a region that nobody asked for: what its policy says about use lets the daemon take it back.
    days = ["2026-11-02", "2026-11-05", "2026-11-08", "2026-11-11", "2026-11-14", "2026-11-17", "2026-11-20"]
    return [image] + [version(image, f"2026.11.{int(day[-2:])}", day, {CC: 1, CE: 1} if day.endswith("14") else {CC: 1}) for day in days]


def reference(of, exact=None, named=None):
    """As a machine prints it: the definition or one version by id, and which version it runs."""
    found = {"id": of["id"] + (f"/versions/{named}" if named else "")}
    return {**found, "exactVersion": exact} if exact else found


def user(kind, name, location, properties, **more):
    """Resources of the teams that deploy the images, in a subscription of their own."""
    below = "/virtualMachines" if "/" in name else ""
    return {"name": name.rsplit("/", 1)[-1], "id": f"/subscriptions/{CONSUMERS}/resourceGroups/rg-shop/providers/{kind}/{name}", "type": kind + below,
            "location": location, "tags": {}, **more, "properties": {**properties, "provisioningState": "Succeeded"}}


def machine(name, image):
    return user("Microsoft.Compute/virtualMachines", name, "canadacentral", {"storageProfile": {"imageReference": image}})


def scale_set(name, model, instances):
    """A uniform scale set: what its model says, and which version each instance runs."""
    kind = "Microsoft.Compute/virtualMachineScaleSets"
    return [user(kind, name, "canadacentral",
                 {"orchestrationMode": "Uniform", "virtualMachineProfile": {"storageProfile": {"imageReference": model}}},
                 sku={"name": "Standard_D2s_v5", "tier": "Standard", "capacity": len(instances)})] + [
        user(kind, f"{name}/virtualMachines/{number}", "canadacentral", {"storageProfile": {"imageReference": image}})
        for number, image in enumerate(instances)]


def consumers(jammy, noble, rhel):
    template = user("Microsoft.VirtualMachineImages/imageTemplates", "rhel-weekly", "canadacentral",
                    {"source": {"type": "SharedImageVersion", "imageVersionId": f"{rhel['id']}/versions/9.6.0"}})
    return [{"id": f"/subscriptions/{CONSUMERS}/resourceGroups/rg-shop", "name": "rg-shop", "type": "Microsoft.Resources/resourceGroups",
             "location": "canadacentral", "tags": {"owner": "shop"}, "properties": {"provisioningState": "Succeeded"}},
            machine("billing-db", reference(jammy, "1.0.5", "1.0.5")),                # old, and nobody dares to touch it: keeps 1.0.5
            machine("reports", reference(noble, "1.4.0")),                            # names the definition, runs 1.4.0
            *scale_set("shop-web", reference(jammy, named="1.0.12"), [reference(jammy, "1.0.12", "1.0.12"), reference(jammy, "1.0.12", "1.0.12"),
                                                                      reference(jammy, "1.0.8", "1.0.8")]),   # one was never upgraded: keeps 1.0.8
            *scale_set("shop-api", reference(noble), [reference(noble, "1.7.0"), reference(noble, "1.7.0")]),   # takes latest
            template]


def estate():
    foreign = definition("research", "slurm-node", ("Research", "HPC", "slurm"), location="eastus", group="rg-research", description="HPC compute node")
    shared = gallery("shared_tools", "canadacentral", "Build agents", {"galleryd-owner": "prod-east/Gallery/images/shared-tools"}, "rg-shared-tools")
    return [
        resource_group(GROUP, "canadacentral", {"environment": "prod"}),
        resource_group("rg-packer", "canadacentral", PACKER),
        resource_group("rg-research", "eastus", {"owner": "research"}),
        resource_group("rg-shared-tools", "canadacentral", {}),
        gallery("golden", "canadacentral", "Hardened images", owner("Gallery", "golden")),   # description differs, the environment tag is missing
        *ubuntu_2204(), *ubuntu_2404(), *rhel_9(), *windows_2022(), *windows_2025(), *jumpbox(), *nightly(),
        managed_image("packer-1127", "canadacentral"), managed_image("packer-1182", "canadacentral"),
        managed_image("packer-1190-arm64", "canadacentral"), managed_image("packer-1201-dev", "canadaeast"),
        gallery("research", "eastus", "Owned by the research group, not by galleryd", {"owner": "research"}, "rg-research"),
        foreign, version(foreign, "0.3.0", "2025-05-05", {EUS: 1}, tags={}),
        shared,
        *consumers(ubuntu_2204()[0], ubuntu_2404()[0], rhel_9()[0]),
    ]


def main():
    arguments = [word for word in sys.argv[1:] if word != "--check"]
    root = arguments[0] if arguments else os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    path = os.path.join(root, "manifests/demo/azure.json")
    text = json.dumps({"resources": estate()}, indent=1, ensure_ascii=False) + "\n"
    if "--check" in sys.argv:
        with open(path, encoding="utf-8") as file:
            if file.read() != text:
                print(f"{path} is not what tests/tools/make_demo_estate.py writes")
                sys.exit(1)
        return
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    main()
