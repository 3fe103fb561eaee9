// SPDX-License-Identifier: GPL-2.0-only
/*
 * edu_dma: a dmaengine provider for QEMU's `edu` PCI device, so that a client
 * of dmaengine can be tried on a machine that has no DMA controller.
 *
 * The device moves bytes between memory and a buffer of its own, one command at
 * a time, 100 ms each, and raises an interrupt. A copy is two moves, in and out
 * again, for each chunk. It tells no errors: what an IOMMU refuses is silently
 * wrong data.
 */
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "edu.h"

static unsigned int dma_bits = 28;
module_param(dma_bits, uint, 0444);
MODULE_PARM_DESC(dma_bits, "address bits the device reaches, as its dma_mask property (default 28)");

static LIST_HEAD(edu_graveyard);
static DEFINE_MUTEX(edu_graveyard_lock);

/*
 * The last reference has gone, a client's or the driver's: clients may hold the channel
 * after remove. dma_release_channel() looks at the channel once more after it
 * has dropped that reference, and the one to the module, so it is freed when the
 * module goes and nobody is within that function.
 */
static void edu_release(struct dma_device *dma)
{
	struct edu *edu = container_of(dma, struct edu, dma);

	mutex_lock(&edu_graveyard_lock);
	list_add(&edu->buried, &edu_graveyard);
	mutex_unlock(&edu_graveyard_lock);
}

static struct edu *edu_alloc(struct device *dev)
{
	struct edu *edu = kzalloc(sizeof(*edu), GFP_KERNEL);

	if (!edu)
		return NULL;
	edu_command_init(edu);
	edu_channel_init(edu, dev);
	edu->dma.device_release = edu_release;
	return edu;
}

static ssize_t moves_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct edu *edu = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%llu\n", READ_ONCE(edu->moves));
}
static DEVICE_ATTR_RO(moves);

static ssize_t interrupts_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct edu *edu = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%llu\n", READ_ONCE(edu->interrupts));
}
static DEVICE_ATTR_RO(interrupts);

static ssize_t callbacks_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct edu *edu = dev_get_drvdata(dev);

	return sysfs_emit(buf, "%llu\n", READ_ONCE(edu->told));
}
static DEVICE_ATTR_RO(callbacks);

static ssize_t max_segment_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", dma_get_max_seg_size(dev));
}

/* The device takes any: a limit is for tests of clients, which have to keep it. */
static ssize_t max_segment_store(struct device *dev, struct device_attribute *attr, const char *buf,
				 size_t count)
{
	unsigned int bytes;
	int ret = kstrtouint(buf, 0, &bytes);

	if (ret)
		return ret;
	if (bytes < PAGE_SIZE)
		return -EINVAL;
	dma_set_max_seg_size(dev, bytes);
	return count;
}
static DEVICE_ATTR_RW(max_segment);

static ssize_t boundary_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%lu\n", dma_get_seg_boundary(dev));
}

/* As a mask: the lower bits of the last address before a boundary. */
static ssize_t boundary_store(struct device *dev, struct device_attribute *attr, const char *buf,
			      size_t count)
{
	unsigned int mask;
	int ret = kstrtouint(buf, 0, &mask);

	if (ret)
		return ret;
	if (mask < PAGE_SIZE - 1 || (mask & (mask + 1)))
		return -EINVAL;
	dma_set_seg_boundary(dev, mask);
	return count;
}
static DEVICE_ATTR_RW(boundary);

static struct attribute *edu_attrs[] = {
	&dev_attr_moves.attr,
	&dev_attr_interrupts.attr,
	&dev_attr_callbacks.attr,
	&dev_attr_max_segment.attr,
	&dev_attr_boundary.attr,
	NULL
};
ATTRIBUTE_GROUPS(edu);

static void edu_free_vectors(void *data)
{
	pci_free_irq_vectors(data);
}

/* Everything but the memory is the PCI device's, and goes with it in reverse order. */
static int edu_set_up(struct edu *edu, struct pci_dev *pdev)
{
	int ret;

	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;
	ret = pcim_iomap_regions(pdev, BIT(0), "edu_dma");
	if (ret)
		return ret;
	edu->regs = pcim_iomap_table(pdev)[0];
	dma_set_max_seg_size(&pdev->dev, UINT_MAX);
	ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(dma_bits));
	if (ret)
		return ret;
	ret = pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_ALL_TYPES);
	if (ret < 0)
		return ret;
	ret = devm_add_action_or_reset(&pdev->dev, edu_free_vectors, pdev);
	if (ret)
		return ret;
	ret = devm_request_irq(&pdev->dev, pci_irq_vector(pdev, 0), edu_interrupt, IRQF_SHARED,
			       "edu_dma", edu);
	if (ret)
		return ret;
	pci_set_master(pdev);
	return dma_async_device_register(&edu->dma);
}

static int edu_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct edu *edu;
	int ret;

	if (dma_bits < 1 || dma_bits > 64)
		return -EINVAL;
	edu = edu_alloc(&pdev->dev);
	if (!edu)
		return -ENOMEM;
	pci_set_drvdata(pdev, edu);
	ret = edu_set_up(edu, pdev);
	if (ret)
		edu_release(&edu->dma);
	return ret;
}

/* Clients may still hold the channel: what they ask of it afterwards touches no hardware. */
static void edu_remove(struct pci_dev *pdev)
{
	struct edu *edu = pci_get_drvdata(pdev);

	edu_channel_stop(edu);
	spin_lock_irq(&edu->lock);
	edu->gone = true;
	spin_unlock_irq(&edu->lock);
	/* What came between the two; it may run, but moves nothing any more. */
	pci_clear_master(pdev);
	edu_channel_stop(edu);
	dma_async_device_unregister(&edu->dma);
}

static const struct pci_device_id edu_ids[] = {
	{ PCI_DEVICE(0x1234, 0x11e8) },
	{ }
};
MODULE_DEVICE_TABLE(pci, edu_ids);

static struct pci_driver edu_driver = {
	.name = "edu_dma",
	.id_table = edu_ids,
	.probe = edu_probe,
	.remove = edu_remove,
	.dev_groups = edu_groups,
};

static bool edu_take_none(struct dma_chan *chan, void *unused)
{
	return false;
}

/* Whoever is releasing a channel holds dmaengine's lock: ask for none, under the same lock. */
static void edu_wait_for_releases(void)
{
	dma_cap_mask_t mask;

	dma_cap_zero(mask);
	dma_cap_set(DMA_MEMCPY, mask);
	WARN_ON(dma_request_channel(mask, edu_take_none, NULL));
}

static int __init edu_init(void)
{
	return pci_register_driver(&edu_driver);
}

static void __exit edu_exit(void)
{
	struct edu *edu, *next;

	pci_unregister_driver(&edu_driver);
	edu_wait_for_releases();
	list_for_each_entry_safe(edu, next, &edu_graveyard, buried)
		kfree(edu);
}

module_init(edu_init);
module_exit(edu_exit);

MODULE_DESCRIPTION("dmaengine provider for QEMU's edu device");
MODULE_AUTHOR("The scullpin authors");
MODULE_LICENSE("GPL");
