// SPDX-License-Identifier: MIT
/*
 * A driver for QEMU's edu device that maps a buffer for DMA and never unmaps it: what DMA_API_DEBUG must notice when the driver lets the device go.
 */
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>

#define UNMAPPED_LENGTH 512

static int unmapped_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	void *buffer = kzalloc(UNMAPPED_LENGTH, GFP_KERNEL);
	dma_addr_t address;

	if (!buffer)
		return -ENOMEM;
	pci_set_drvdata(pdev, buffer);
	address = dma_map_single(&pdev->dev, buffer, UNMAPPED_LENGTH, DMA_TO_DEVICE);
	if (!dma_mapping_error(&pdev->dev, address))
		return 0;
	kfree(buffer);
	return -ENOMEM;
}

static void unmapped_remove(struct pci_dev *pdev)
{
	kfree(pci_get_drvdata(pdev));
}

static const struct pci_device_id unmapped_ids[] = { { PCI_DEVICE(0x1234, 0x11e8) }, {} };
MODULE_DEVICE_TABLE(pci, unmapped_ids);

static struct pci_driver unmapped_driver = {
	.name = "unmapped",
	.id_table = unmapped_ids,
	.probe = unmapped_probe,
	.remove = unmapped_remove,
};
module_pci_driver(unmapped_driver);

MODULE_DESCRIPTION("Test of the VM harness: a leaked DMA mapping");
MODULE_LICENSE("Dual MIT/GPL");
