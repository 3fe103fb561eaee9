# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced by what runs in the guest.

no_fault_of_the_iommu() { ! dmesg | grep -E 'DMAR:.*fault|DMAR:.*Request device'; }
