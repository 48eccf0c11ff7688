#!/usr/bin/python3
"""What a Terraform refresh does, with Microsoft's Python SDK: every gallery, definition and version read by its id, versions with their
replication status, ten at a time. Prints how many it read.

    peer_sdk.py IDS      a file with a JSON list of resource ids; environment as tests/clients/js/arm.mjs.

Run with the Python that the Azure CLI is installed for: it brings azure-mgmt-compute and msal."""
import concurrent.futures
import json
import os
import sys
import time


def main():
    import azure.core.credentials
    import msal
    from azure.mgmt.compute import ComputeManagementClient

    url, tenant = os.environ["ARM_URL"], os.environ["ARM_TENANT"]

    class Secret:
        """azure-identity is not among what the CLI brings; this is what it does."""

        def __init__(self):
            self.application = msal.ConfidentialClientApplication(os.environ["ARM_CLIENT"], client_credential=os.environ["ARM_SECRET"],
                                                                  authority=f"{url}/{tenant}", instance_discovery=False)

        def get_token(self, *scopes, **_):
            answer = self.application.acquire_token_for_client(list(scopes))
            return azure.core.credentials.AccessToken(answer["access_token"], int(time.time()) + int(answer["expires_in"]))

    # Ten retries are its default, and not enough: it then gives up at ARM's limit of 25 reads a second.
    compute = ComputeManagementClient(Secret(), os.environ["ARM_SUBSCRIPTION"], base_url=url, credential_scopes=[url + "/.default"], retry_total=1000, retry_status=1000)

    def read(text):
        part = text.split("/")
        if len(part) == 13:
            return compute.gallery_image_versions.get(part[4], part[8], part[10], part[12], expand="ReplicationStatus")
        return compute.gallery_images.get(part[4], part[8], part[10]) if len(part) == 11 else compute.galleries.get(part[4], part[8])

    with open(sys.argv[1], encoding="utf-8") as file:
        ids = json.load(file)
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        print(sum(one.provisioning_state == "Succeeded" for one in pool.map(read, ids)))


if __name__ == "__main__":
    main()
